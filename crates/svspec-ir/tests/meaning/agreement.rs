//! How far two tensors are apart, relative to the larger of them.

use svspec_ir::eval::Tensor;

/// The largest difference of entries over the largest entry.
pub fn distance(a: &Tensor, b: &Tensor) -> f64 {
    distance_on_scale(a, b, 0.0)
}

/// The same over `scale` where no entry is as large: for a value that is what rounding leaves of larger ones.
pub fn distance_on_scale(a: &Tensor, b: &Tensor, scale: f64) -> f64 {
    assert_eq!(a.shape, b.shape);
    let furthest = a.data.iter().zip(&b.data).fold(0.0_f64, |furthest, (a, b)| furthest.max((a - b).abs()));
    if furthest == 0.0 { 0.0 } else { furthest / largest(a).max(largest(b)).max(scale) }
}

/// The largest absolute entry.
pub fn largest(tensor: &Tensor) -> f64 {
    tensor.data.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()))
}
