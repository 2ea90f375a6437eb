//! A dense array of `f64`, row-major.

/// A value of the evaluator. Activations are `[batch, time, dims…]`; token ids are stored as whole numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Row-major entries.
    pub data: Vec<f64>,
}
