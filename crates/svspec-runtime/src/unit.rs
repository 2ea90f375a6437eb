//! A tensor in, the same with norm 1 over some of its axes.

use crate::ffi::TorchError;
use crate::health;
use tch::{Kind, TchError, Tensor};

/// Divides by the Euclidean norm over `axes`, in place; what is 0 there stays so.
pub fn normalize(tensor: &Tensor, axes: &[i64]) -> Result<(), TorchError> {
    normalize_unless(tensor, axes, &health::no_skip(tensor.device()))
}

/// The same for each tensor that has axes for it, unless the scalar `skip` is 1.
pub fn normalize_all(
    tensors: &[Tensor],
    axes: &[Option<&'static [i64]>],
    skip: &Tensor,
) -> Result<(), TorchError> {
    for (tensor, axes) in tensors.iter().zip(axes) {
        if let Some(axes) = axes {
            normalize_unless(tensor, axes, skip)?;
        }
    }
    Ok(())
}

fn normalize_unless(tensor: &Tensor, axes: &[i64], skip: &Tensor) -> Result<(), TorchError> {
    let divided = || {
        let norm = tensor.f_norm_scalaropt_dim(2, axes, true)?.f_clamp_min(f64::from(f32::MIN_POSITIVE))?;
        tensor.shallow_clone().f_div_(&norm.f_masked_fill(&skip.to_kind(Kind::Bool), 1.0)?)
    };
    tch::no_grad(divided).map(drop).map_err(|error: TchError| TorchError(error.to_string()))
}
