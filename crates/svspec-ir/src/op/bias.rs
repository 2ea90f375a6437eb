//! Addition of a parameter vector.

use crate::ParamId;
use serde::Serialize;

/// `y = x + b`, `b` broadcast over the leading dimensions; input and output have the same dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bias {
    /// `b`.
    pub param: ParamId,
}
