//! The parameters of a scale vector in, γ out (arXiv 2605.26895, reparameterisation). γ has the shape of `direction`.

use tch::Tensor;

/// `γ = 1 + α`.
pub fn one_plus(offset: &Tensor) -> Tensor {
    offset + 1.0
}

/// OR: `γ = β · α / RMS(α)`, the RMS over all of α.
pub fn magnitude_direction(magnitude: &Tensor, direction: &Tensor) -> Tensor {
    magnitude * direction * direction.square().mean(direction.kind()).rsqrt()
}

/// ER: `γ = exp(β) · exp(α − mean(α))`, the mean over all of α.
pub fn exp_magnitude_direction(magnitude: &Tensor, direction: &Tensor) -> Tensor {
    (magnitude + direction - direction.mean(direction.kind())).exp()
}
