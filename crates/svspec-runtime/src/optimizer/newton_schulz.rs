//! Matrices in; matrices with the same singular vectors, and singular values near 1, out.

use crate::ffi::TorchError;
use tch::{Device, Kind, TchError, Tensor};

/// The coefficients of `a x + b x³ + c x⁵`: the steepest at 0 that keeps singular values within about 0.7 to 1.2 after
/// five iterations (Jordan et al. 2024).
const COEFFICIENTS: (f64, f64, f64) = (3.4445, -4.7750, 2.0315);

/// The least norm that a matrix is divided by, so that zeros stay zeros.
const LEAST_NORM: f64 = 1e-7;

/// Newton-Schulz iteration on each of `n` matrices, `[n, rows, columns]`, in numbers of `kind`: with `A = X Xᵀ`,
/// `X ← a X + (b A + c A²) X`, from X of Frobenius norm 1. The shorter side is made the rows, so that A is small.
///
/// A CPU without products in bf16 multiplies in f32 and rounds each result, which is what such a product is; LibTorch's own emulation
/// takes some twenty times as long.
pub fn newton_schulz(matrices_nrc: &Tensor, steps: u32, kind: Kind) -> Result<Tensor, TorchError> {
    let rounds = kind == Kind::BFloat16 && matrices_nrc.device() == Device::Cpu && !has_bf16_products();
    tch::no_grad(|| iterate(matrices_nrc, steps, kind, rounds)).map_err(|error| TorchError(error.to_string()))
}

#[cfg(target_arch = "x86_64")]
fn has_bf16_products() -> bool {
    std::arch::is_x86_feature_detected!("avx512bf16")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_bf16_products() -> bool {
    false
}

/// `rounds`: in f32, each result rounded to `kind`.
fn iterate(matrices_nrc: &Tensor, steps: u32, kind: Kind, rounds: bool) -> Result<Tensor, TchError> {
    let rounded = |x: Tensor| if rounds { x.f_to_kind(kind)?.f_to_kind(Kind::Float) } else { Ok(x) };
    let (a, b, c) = COEFFICIENTS;
    let (_, num_rows, num_columns) = matrices_nrc.size3()?;
    let is_tall = num_rows > num_columns;
    let matrices = rounded(matrices_nrc.f_to_kind(kind)?)?;
    let mut x = if is_tall { matrices.f_transpose(1, 2)? } else { matrices };
    let norm = rounded(x.f_norm_scalaropt_dim(2, [1_i64, 2], true)?)?;
    x = rounded(x.f_div(&norm.f_clamp_min(LEAST_NORM)?)?)?;
    for _ in 0..steps {
        let gram = rounded(x.f_bmm(&x.f_transpose(1, 2)?)?)?;
        let polynomial = rounded(gram.f_baddbmm(&gram, &gram, b, c)?)?;
        x = rounded(x.f_baddbmm(&polynomial, &x, a, 1.0)?)?;
    }
    let x = x.f_to_kind(kind)?;
    if is_tall { x.f_transpose(1, 2) } else { Ok(x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// They are as near to one another as one of them is to what is exact.
    #[test]
    fn rounding_each_product_is_multiplying_in_bf16() {
        for sizes in [[3, 24, 40], [2, 40, 24]] {
            tch::manual_seed(0);
            let matrices = Tensor::randn(sizes, (Kind::Double, Device::Cpu));
            let made = |kind, rounds| iterate(&matrices, 5, kind, rounds).unwrap().to_kind(Kind::Double);
            let exact = made(Kind::Double, false);
            let [own, rounded] = [false, true].map(|rounds| made(Kind::BFloat16, rounds));
            let distance = |a: &Tensor, b: &Tensor| (a - b).norm().double_value(&[]);
            let (apart, error) = (distance(&own, &rounded), distance(&own, &exact));
            assert!(0.0 < error && apart <= error, "{apart} apart, {error} from what is exact");
        }
    }
}
