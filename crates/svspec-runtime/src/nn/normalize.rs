//! Deterministic normalisation over trailing dimensions; what multiplies it afterwards is the model's own.

use tch::{Device, Kind, Tensor};

/// `x / sqrt(mean(x²) + eps)` over the last `num_axes` dimensions together; in f32 at least.
pub fn rms_norm(x: &Tensor, num_axes: usize, eps: f64) -> Tensor {
    if x.device() != Device::Cpu {
        return x.rms_norm(trailing(x, num_axes), None::<&Tensor>, eps);
    }
    // LibTorch has a fused kernel on GPUs only; on CPUs the same written out takes two thirds of the time of its own composition.
    let wide = if matches!(x.kind(), Kind::BFloat16 | Kind::Half) {
        x.to_kind(Kind::Float)
    } else {
        x.shallow_clone()
    };
    let axes: Vec<i64> = (1..=num_axes as i64).map(|axis| -axis).collect();
    let mean_square = wide.square().mean_dim(axes, true, wide.kind());
    &wide * (mean_square + eps).rsqrt()
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
