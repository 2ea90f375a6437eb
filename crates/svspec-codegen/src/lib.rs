//! A checked model goes in, the files of a training crate come out, in memory. Pure: same model, same bytes.

pub mod error;
pub mod files;
pub mod options;

mod header;
pub mod literal;
pub mod model;
mod names;
mod op;
mod print;
mod scale;

pub use error::GenerateError;
pub use files::Files;
pub use options::{Options, SpecSource};
