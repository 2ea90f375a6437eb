//! Weights on their way into a matrix product: scaled by vectors on their rows and columns, and one above the other.

use super::or_panic;
use crate::ffi::{self, ScaledMatrix};
use tch::{Device, Tensor};

/// A weight `[out…, in…]` and the vectors that multiply it, which broadcast over its output or its input dimensions.
#[derive(Clone, Copy, Debug)]
pub struct Weight<'w> {
    tensor: &'w Tensor,
    num_in_dims: usize,
    row: Option<&'w Tensor>,
    column: Option<&'w Tensor>,
}

impl<'w> Weight<'w> {
    /// The weight as it is; its last `num_in_dims` dimensions are the input's.
    pub fn new(weight: &'w Tensor, num_in_dims: usize) -> Self {
        Self { tensor: weight, num_in_dims, row: None, column: None }
    }

    /// With this on its rows, the output's channels.
    #[must_use]
    pub fn rows(self, gamma: &'w Tensor) -> Self {
        Self { row: Some(gamma), ..self }
    }

    /// With this on its columns, the input's channels.
    #[must_use]
    pub fn columns(self, gamma: &'w Tensor) -> Self {
        Self { column: Some(gamma), ..self }
    }

    /// `diag(row) W diag(column)`: as [`weights`] of this one.
    pub fn scaled(self) -> Tensor {
        weights(&[self])
    }

    /// As a matrix `[out, in]`, with a factor for each row and for each column.
    fn flat(&self) -> ScaledMatrix {
        let sizes = self.tensor.size();
        let (out, input) = sizes.split_at(sizes.len() - self.num_in_dims);
        let spread = |gamma: &Tensor, sizes: &[i64]| match *sizes {
            [size] if gamma.size() == [size] => gamma.shallow_clone(),
            _ => gamma.expand(sizes, false).reshape([-1]),
        };
        let is_matrix = matches!((out, input), ([_], [_]));
        let matrix = if is_matrix {
            self.tensor.shallow_clone()
        } else {
            self.tensor.reshape([out.iter().product(), input.iter().product()])
        };
        ScaledMatrix {
            matrix,
            row: self.row.map(|gamma| spread(gamma, out)),
            column: self.column.map(|gamma| spread(gamma, input)),
        }
    }
}

/// `diag(row) W diag(column)` of each weight, one above the other: `[Σ out, in]`. On CPUs it is bf16 where autocast has products in
/// bf16, so that nothing is cast for them.
///
/// # Panics
/// If there is none, or the weights differ in how many input channels they have.
pub fn weights(parts: &[Weight<'_>]) -> Tensor {
    let flat: Vec<ScaledMatrix> = parts.iter().map(Weight::flat).collect();
    if flat.iter().all(|part| part.matrix.device() == Device::Cpu) {
        return or_panic(ffi::weights(&flat));
    }
    let scaled: Vec<Tensor> = flat.iter().map(written_out).collect();
    match scaled.as_slice() {
        [single] => single.shallow_clone(),
        several => Tensor::cat(several, 0),
    }
}

/// Operation by operation.
fn written_out(part: &ScaledMatrix) -> Tensor {
    let scaled =
        part.column.as_ref().map_or_else(|| part.matrix.shallow_clone(), |column| &part.matrix * column);
    part.row.as_ref().map_or_else(|| scaled.shallow_clone(), |row| &scaled * row.unsqueeze(-1))
}
