//! A generated model in, a training run out: data, optimizer, checkpoints, metrics and the command line of generated crates.
//!
//! It knows nothing of the compiler. A generated crate fills in [`spec::Spec`], implements [`model::Model`] with the operations
//! of [`nn`].

pub mod model;
pub mod nn;
pub mod params;
pub mod random;
pub mod spec;

pub use model::Model;
pub use params::Params;
