//! Matrices in; matrices with the same singular vectors, and singular values near 1, out.

use crate::ffi::TorchError;
use tch::{Kind, TchError, Tensor};

/// The coefficients of `a x + b x³ + c x⁵`: the steepest at 0 that keeps singular values within about 0.7 to 1.2 after
/// five iterations (Jordan et al. 2024).
const COEFFICIENTS: (f64, f64, f64) = (3.4445, -4.7750, 2.0315);

/// The least norm that a matrix is divided by, so that zeros stay zeros.
const LEAST_NORM: f64 = 1e-7;

/// Newton-Schulz iteration on each of `n` matrices, `[n, rows, columns]`, in numbers of `kind`: with `A = X Xᵀ`,
/// `X ← a X + (b A + c A²) X`, from X of Frobenius norm 1. The shorter side is made the rows, so that A is small.
pub fn newton_schulz(matrices_nrc: &Tensor, steps: u32, kind: Kind) -> Result<Tensor, TorchError> {
    tch::no_grad(|| iterate(matrices_nrc, steps, kind)).map_err(|error| TorchError(error.to_string()))
}

fn iterate(matrices_nrc: &Tensor, steps: u32, kind: Kind) -> Result<Tensor, TchError> {
    let (a, b, c) = COEFFICIENTS;
    let (_, num_rows, num_columns) = matrices_nrc.size3()?;
    let is_tall = num_rows > num_columns;
    let matrices = matrices_nrc.f_to_kind(kind)?;
    let mut x = if is_tall { matrices.f_transpose(1, 2)? } else { matrices };
    let norm = x.f_norm_scalaropt_dim(2, [1_i64, 2], true)?;
    x = x.f_div(&norm.f_clamp_min(LEAST_NORM)?)?;
    for _ in 0..steps {
        let gram = x.f_bmm(&x.f_transpose(1, 2)?)?;
        let polynomial = gram.f_baddbmm(&gram, &gram, b, c)?;
        x = x.f_baddbmm(&polynomial, &x, a, 1.0)?;
    }
    if is_tall { x.f_transpose(1, 2) } else { Ok(x) }
}
