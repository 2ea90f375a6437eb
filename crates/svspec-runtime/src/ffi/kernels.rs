//! `cpp/rms_norm.cpp`, `cpp/add_rms_norm.cpp` and `cpp/gelu_tanh.cpp`: functions of activations that have kernels of the runtime's own.

use super::{TensorPtr, TorchError, checked};
use std::ffi::c_int;
use tch::Tensor;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn svspec_rms_norm(
        x: TensorPtr,
        num_axes: i64,
        eps: f64,
        to_product: bool,
        y: *mut *mut C_tensor,
    ) -> c_int;
    fn svspec_add_rms_norm(
        x: TensorPtr,
        branch: TensorPtr,
        num_axes: i64,
        eps: f64,
        to_product: bool,
        sum: *mut *mut C_tensor,
        y: *mut *mut C_tensor,
    ) -> c_int;
    fn svspec_gelu_tanh(x: TensorPtr, y: *mut *mut C_tensor) -> c_int;
}

/// `x / sqrt(mean(x²) + eps)` over the last `num_axes` dimensions together, of f32, f64 or bf16 on the CPU; what matrix products
/// alone read has their type.
pub fn rms_norm(x: &Tensor, num_axes: usize, eps: f64, to_product: bool) -> Result<Tensor, TorchError> {
    let mut y = std::ptr::null_mut();
    // SAFETY: a live tensor; on success `y` is a new one that becomes ours.
    unsafe {
        checked(svspec_rms_norm(x.as_ptr(), num_axes as i64, eps, to_product, &raw mut y))?;
        Ok(Tensor::from_ptr(y))
    }
}

/// `x + branch` and what [`rms_norm`] makes of it, of tensors of the same sizes on the CPU. The branch is of the kind of `x`, or bf16
/// beside f32.
pub fn add_rms_norm(
    x: &Tensor,
    branch: &Tensor,
    num_axes: usize,
    eps: f64,
    to_product: bool,
) -> Result<(Tensor, Tensor), TorchError> {
    let (mut sum, mut y) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: live tensors; on success `sum` and `y` are new ones that become ours.
    unsafe {
        checked(svspec_add_rms_norm(
            x.as_ptr(),
            branch.as_ptr(),
            num_axes as i64,
            eps,
            to_product,
            &raw mut sum,
            &raw mut y,
        ))?;
        Ok((Tensor::from_ptr(sum), Tensor::from_ptr(y)))
    }
}

/// `x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2`, of any kind on any device.
pub fn gelu_tanh(x: &Tensor) -> Result<Tensor, TorchError> {
    let mut y = std::ptr::null_mut();
    // SAFETY: a live tensor; on success `y` is a new one that becomes ours.
    unsafe {
        checked(svspec_gelu_tanh(x.as_ptr(), &raw mut y))?;
        Ok(Tensor::from_ptr(y))
    }
}
