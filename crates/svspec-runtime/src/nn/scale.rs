//! The parameters of a scale vector in, γ out (arXiv 2605.26895, reparameterisation). γ has the shape of the last of them; of
//! several vectors, stacked along its first axis, `magnitude` has a number for each. Of bf16 parameters it is computed in f32.

use tch::{Kind, Tensor};

/// `γ = 1 + α`.
pub fn one_plus(offset: &Tensor) -> Tensor {
    exact(offset) + 1.0
}

/// OR: `γ = β · α / RMS(α)`, the RMS over all of a vector's α.
pub fn magnitude_direction(magnitude: &Tensor, direction: &Tensor) -> Tensor {
    let (magnitude, direction) = (exact(magnitude), exact(direction));
    let mean_square = mean(&direction.square(), &magnitude);
    beside(&magnitude, &direction) * direction * mean_square.rsqrt()
}

/// ER: `γ = exp(β) · exp(α − mean(α))`, the mean over all of a vector's α.
pub fn exp_magnitude_direction(magnitude: &Tensor, direction: &Tensor) -> Tensor {
    let (magnitude, direction) = (exact(magnitude), exact(direction));
    (beside(&magnitude, &direction) + &direction - mean(&direction, &magnitude)).exp()
}

/// The mean over all entries, or over those of each vector.
fn mean(entries: &Tensor, magnitude: &Tensor) -> Tensor {
    if magnitude.dim() == 0 {
        return entries.mean(entries.kind());
    }
    let axes: Vec<i64> = (1..).take(entries.dim().saturating_sub(1)).collect();
    entries.mean_dim(axes, true, entries.kind())
}

/// The magnitudes, each beside its vector.
fn beside(magnitude: &Tensor, direction: &Tensor) -> Tensor {
    if magnitude.dim() == 0 {
        return magnitude.shallow_clone();
    }
    let mut sizes = vec![1; direction.dim()];
    sizes.splice(..1, magnitude.size());
    magnitude.reshape(sizes)
}

/// `log(1 + exp(x))`, in f32 at least: an activation, and the form `γ = log(1 + exp(α))` (arXiv 2411.13010).
pub fn softplus(x: &Tensor) -> Tensor {
    exact(x).softplus()
}

/// f32 at least.
fn exact(x: &Tensor) -> Tensor {
    if x.kind() == Kind::BFloat16 { x.to_kind(Kind::Float) } else { x.shallow_clone() }
}
