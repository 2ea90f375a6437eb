//! The `f64` evaluator: the meaning of the language. Plain loops, no library.

mod environment;
mod tensor;

pub use environment::{Environment, Gradients, Values};
pub use tensor::Tensor;
