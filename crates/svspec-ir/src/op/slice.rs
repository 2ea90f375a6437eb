//! One projection's share of a fused linear map's output.

use crate::Dims;
use serde::Serialize;

/// `y = x[start .. start + num_elements(dims)]`, viewed as `dims`; input: one dimension; output: `dims`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slice {
    /// The first channel.
    pub start: usize,
    /// The output's dimensions.
    pub dims: Dims,
}
