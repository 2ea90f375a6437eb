//! Element-wise product.

use serde::Serialize;

/// `y = a ⊙ b`; both inputs and the output have the same dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mul;
