//! Deterministic normalisation over trailing dimensions; what multiplies it afterwards is the model's own.

use super::or_panic;
use crate::ffi;
use tch::{Device, Kind, Tensor};

/// `x / sqrt(mean(x²) + eps)` over the last `num_axes` dimensions together. On CPUs bf16 comes out as f32.
///
/// # Panics
/// If `x` has no floating-point numbers or fewer dimensions than that.
pub fn rms_norm(x: &Tensor, num_axes: usize, eps: f64) -> Tensor {
    if x.device() != Device::Cpu {
        return x.rms_norm(trailing(x, num_axes), None::<&Tensor>, eps);
    }
    // LibTorch's own is one kernel on GPUs only.
    or_panic(ffi::rms_norm(x, num_axes, eps, false))
}

/// The same for matrix products alone: on CPUs what comes out is bf16 where autocast has products in bf16, so that nothing is cast
/// for them, nor their gradients back.
///
/// # Panics
/// As [`rms_norm`].
pub fn rms_norm_for_products(x: &Tensor, num_axes: usize, eps: f64) -> Tensor {
    if x.device() != Device::Cpu {
        return rms_norm(x, num_axes, eps);
    }
    or_panic(ffi::rms_norm(x, num_axes, eps, true))
}

/// `x + y`, of the same sizes, and [`rms_norm`] of the sum: on CPUs in one pass, with their gradients in another.
///
/// # Panics
/// As [`rms_norm`], or if sizes differ.
pub fn add_rms_norm(x: &Tensor, y: &Tensor, num_axes: usize, eps: f64) -> (Tensor, Tensor) {
    add(x, y, num_axes, eps, false)
}

/// [`add_rms_norm`] for matrix products alone, as [`rms_norm_for_products`] is.
///
/// # Panics
/// As [`add_rms_norm`].
pub fn add_rms_norm_for_products(x: &Tensor, y: &Tensor, num_axes: usize, eps: f64) -> (Tensor, Tensor) {
    add(x, y, num_axes, eps, true)
}

fn add(x: &Tensor, y: &Tensor, num_axes: usize, eps: f64, to_product: bool) -> (Tensor, Tensor) {
    if x.device() != Device::Cpu {
        let sum = x + y;
        let normalized = rms_norm(&sum, num_axes, eps);
        return (sum, normalized);
    }
    // The wider of the two is the stream.
    let (stream, branch) = if x.kind() == Kind::BFloat16 { (y, x) } else { (x, y) };
    or_panic(ffi::add_rms_norm(stream, branch, num_axes, eps, to_product))
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
