//! A tensor in, the same with norm 1 over some of its axes.

use crate::ffi::TorchError;
use tch::{TchError, Tensor};

/// Divides by the Euclidean norm over `axes`, in place; what is 0 there stays so.
pub fn normalize(tensor: &Tensor, axes: &[i64]) -> Result<(), TorchError> {
    let divided = || {
        let norm = tensor.f_norm_scalaropt_dim(2, axes, true)?;
        tensor.shallow_clone().f_div_(&norm.f_clamp_min(f64::from(f32::MIN_POSITIVE))?)
    };
    tch::no_grad(divided).map(drop).map_err(|error: TchError| TorchError(error.to_string()))
}

/// The same for each tensor that has axes for it.
pub fn normalize_all(tensors: &[Tensor], axes: &[Option<&'static [i64]>]) -> Result<(), TorchError> {
    for (tensor, axes) in tensors.iter().zip(axes) {
        if let Some(axes) = axes {
            normalize(tensor, axes)?;
        }
    }
    Ok(())
}
