//! Multiplication by a scale vector.

use crate::ScaleId;
use serde::Serialize;

/// `y = γ ⊙ x`, γ broadcast over the leading dimensions; input and output have the same dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scale {
    /// γ.
    pub scale: ScaleId,
}
