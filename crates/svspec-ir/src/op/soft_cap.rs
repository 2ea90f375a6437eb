//! A smooth bound.

use serde::Serialize;

/// `y = cap · tanh(x / cap)`; input and output have the same dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SoftCap {
    /// The bound, positive.
    pub cap: f64,
}
