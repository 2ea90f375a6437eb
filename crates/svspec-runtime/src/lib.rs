//! A generated model in, a training run out: data, optimizer, checkpoints, metrics and the command line of generated crates.
//!
//! It knows nothing of the compiler. A generated crate fills in [`spec::Spec`], implements [`model::Model`] with the operations
//! of [`nn`], and its `main` is [`main`]. From there the way leads through [`command`], [`run`] and [`train`].

pub mod batch;
pub mod checkpoint;
pub mod clock;
pub mod command;
pub mod corpus;
pub mod device;
pub mod dist;
pub mod evaluate;
pub mod events;
pub mod ffi;
pub mod foreign;
pub mod health;
pub mod log;
pub mod losses;
pub mod metrics;
pub mod model;
pub mod nn;
pub mod observation;
pub mod openmp;
pub mod optimizer;
pub mod params;
pub mod precision;
pub mod progress;
pub mod random;
pub mod run;
pub mod sample;
pub mod scale_stats;
pub mod schedule;
pub mod sharpness;
pub mod signal;
pub mod spec;
pub mod summary;
pub mod tensor_file;
pub mod train;
pub mod trajectory;
pub mod unit;
pub mod validation;

pub use command::main;
pub use model::Model;
pub use optimizer::Optimizer;
pub use params::Params;
