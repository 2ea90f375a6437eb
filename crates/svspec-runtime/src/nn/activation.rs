//! Element-wise functions, each of a tensor of any shape.

use super::or_panic;
use crate::ffi;
use tch::Tensor;

/// `x · sigmoid(x)`.
pub fn silu(x: &Tensor) -> Tensor {
    x.silu()
}

/// `x · Φ(x)`, exact.
pub fn gelu(x: &Tensor) -> Tensor {
    x.gelu("none")
}

/// The tanh approximation of gelu (arXiv 1606.08415): `x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2`.
///
/// # Panics
/// If `x` has no floating-point numbers.
pub fn gelu_tanh(x: &Tensor) -> Tensor {
    or_panic(ffi::gelu_tanh(x))
}

/// The sigmoid approximation of gelu (arXiv 1606.08415): `x · sigmoid(1.702 · x)`.
pub fn gelu_quick(x: &Tensor) -> Tensor {
    x * (x * 1.702).sigmoid()
}

/// `x` where it is positive, else `exp(x) − 1` (arXiv 1511.07289).
pub fn elu(x: &Tensor) -> Tensor {
    x.elu()
}

/// `max(x, 0)`.
pub fn relu(x: &Tensor) -> Tensor {
    x.relu()
}

/// `max(x, 0)²` (arXiv 2109.08668).
pub fn relu2(x: &Tensor) -> Tensor {
    x.relu().square()
}

/// `exp(x)`.
pub fn exp(x: &Tensor) -> Tensor {
    x.exp()
}

/// The hyperbolic tangent.
pub fn tanh(x: &Tensor) -> Tensor {
    x.tanh()
}

/// `1 / (1 + exp(−x))`.
pub fn sigmoid(x: &Tensor) -> Tensor {
    x.sigmoid()
}

/// `min(max(x, low), high)`.
pub fn clamp(x: &Tensor, low: f64, high: f64) -> Tensor {
    x.clamp(low, high)
}

/// `cap · tanh(x / cap)`: the identity near 0, bounded by `cap`.
pub fn soft_cap(x: &Tensor, cap: f64) -> Tensor {
    (x / cap).tanh() * cap
}
