//! Element-wise non-linearities.

use serde::Serialize;

/// Input and output have the same dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x · sigmoid(x)`
    Silu,
    /// `x · Φ(x)`, exact
    Gelu,
    /// The tanh approximation of gelu
    GeluTanh,
    /// `max(x, 0)`
    Relu,
    /// `max(x, 0)²`
    Relu2,
    /// `tanh(x)`
    Tanh,
    /// `1 / (1 + exp(−x))`
    Sigmoid,
}
