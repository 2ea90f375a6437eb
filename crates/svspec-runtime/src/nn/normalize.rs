//! Deterministic normalisation over trailing dimensions; what multiplies it afterwards is the model's own.

use tch::Tensor;

/// `x / sqrt(mean(x²) + eps)` over the last `num_axes` dimensions together.
pub fn rms_norm(x: &Tensor, num_axes: usize, eps: f64) -> Tensor {
    x.rms_norm(trailing(x, num_axes), None::<&Tensor>, eps)
}

/// `(x − mean(x)) / sqrt(var(x) + eps)` over the last `num_axes` dimensions together, the variance biased.
pub fn layer_norm(x: &Tensor, num_axes: usize, eps: f64) -> Tensor {
    x.layer_norm(trailing(x, num_axes), None::<&Tensor>, None::<&Tensor>, eps, true)
}

/// The sizes of the last `num_axes` dimensions.
fn trailing(x: &Tensor, num_axes: usize) -> Vec<i64> {
    let mut sizes = x.size();
    sizes.split_off(sizes.len() - num_axes)
}
