//! How far two tensors are apart, relative to the larger of them.

use svspec_ir::eval::Tensor;

/// The largest difference of entries over the largest entry.
pub fn distance(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.shape, b.shape);
    let largest = a.data.iter().chain(&b.data).fold(0.0_f64, |largest, x| largest.max(x.abs()));
    let furthest = a.data.iter().zip(&b.data).fold(0.0_f64, |furthest, (a, b)| furthest.max((a - b).abs()));
    if furthest == 0.0 { 0.0 } else { furthest / largest }
}
