//! A tensor to the matrices `[n, out, in]` that Muon reads it as, and back.

use crate::ffi::TorchError;
use crate::spec::Matrices;
use tch::{TchError, Tensor};

/// The number, the outputs and the inputs of the matrices of a tensor of this shape.
pub(super) fn shape(matrices: Matrices, shape: &[i64]) -> (i64, i64, i64) {
    let axes = order(matrices, shape.len());
    let sizes: Vec<i64> = axes.iter().filter_map(|&axis| shape.get(axis)).copied().collect();
    let num_stacked = usize::from(matrices.stacked.is_some());
    let (stacked, rest) = sizes.split_at(num_stacked.min(sizes.len()));
    let (out, num_in) = rest.split_at(matrices.num_out.min(rest.len()));
    (stacked.iter().product(), out.iter().product(), num_in.iter().product())
}

/// The tensor as matrices.
pub(super) fn of_tensor(tensor: &Tensor, matrices: Matrices) -> Result<Tensor, TorchError> {
    let (n, out, num_in) = shape(matrices, &tensor.size());
    let first = || match matrices.stacked {
        Some(axis) => tensor.f_movedim_int(axis, 0),
        None => Ok(tensor.shallow_clone()),
    };
    first().and_then(|tensor| tensor.f_reshape([n, out, num_in])).map_err(|error| fault(&error))
}

/// The matrices as a tensor of this shape.
pub(super) fn to_tensor(
    matrices_nrc: &Tensor,
    matrices: Matrices,
    shape: &[i64],
) -> Result<Tensor, TorchError> {
    let sizes: Vec<i64> =
        order(matrices, shape.len()).iter().filter_map(|&axis| shape.get(axis)).copied().collect();
    let tensor = matrices_nrc.f_reshape(sizes.as_slice());
    let in_place = |tensor: Tensor| match matrices.stacked {
        Some(axis) => tensor.f_movedim_int(0, axis),
        None => Ok(tensor),
    };
    tensor.and_then(in_place).map_err(|error| fault(&error))
}

/// The axes, the stacked one first.
fn order(matrices: Matrices, num_axes: usize) -> Vec<usize> {
    let stacked = matrices.stacked.map(|axis| axis as usize);
    stacked.into_iter().chain((0..num_axes).filter(|&axis| Some(axis) != stacked)).collect()
}

fn fault(error: &TchError) -> TorchError {
    TorchError(error.to_string())
}
