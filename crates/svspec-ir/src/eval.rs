//! The `f64` evaluator: the meaning of the language. Plain loops, no library.

mod documents;
mod environment;
mod initial;
mod random;
mod run;
mod tensor;

pub use documents::Documents;
pub use environment::{Environment, Gradients, Values, accumulate};
pub use initial::{initial_values, random_tokens, random_values};
pub use random::Random;
pub use run::{Forward, forward, gradients};
pub use tensor::Tensor;
