//! Multiplication by a constant of the spec: embedding and residual multipliers, DeepNorm's α.

use crate::PerLayer;
use serde::Serialize;

/// `y = factor · x`; input and output have the same dimensions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gain {
    /// The constant.
    pub factor: PerLayer,
}
