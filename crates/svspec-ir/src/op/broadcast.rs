//! Values of different sizes in one element-wise op: a dimension of 1 meets every entry of the other side's.

use crate::eval::Tensor;
use crate::{Dim, Dims, dim};

/// The dimensions of the result, where each dimension is the same on both sides or 1 on one of them; `None` if not.
/// A side of fewer dimensions has one entry.
pub fn broadcast_dims(a: &[Dim], b: &[Dim]) -> Option<Dims> {
    if a.len() != b.len() {
        let (shorter, longer) = if a.len() < b.len() { (a, b) } else { (b, a) };
        return (!shorter.is_empty() && dim::num_elements(shorter) == 1).then(|| longer.to_vec());
    }
    let wider = |(a, b): (&Dim, &Dim)| match (a.size, b.size) {
        (of_a, of_b) if of_a == of_b || of_b == 1 => Some(a.clone()),
        (1, _) => Some(b.clone()),
        (_, _) => None,
    };
    a.iter().zip(b).map(wider).collect()
}

/// The sizes of the result of two values that broadcast.
pub fn broadcast_sizes(a: &[usize], b: &[usize]) -> Vec<usize> {
    match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Less => b.to_vec(),
        std::cmp::Ordering::Greater => a.to_vec(),
        std::cmp::Ordering::Equal => a.iter().zip(b).map(|(a, b)| *a.max(b)).collect(),
    }
}

/// The value with `channels` for its own, repeated where it has 1.
pub fn widen(x: &Tensor, channels: &[usize]) -> Tensor {
    let met = dim::broadcast_channels(x.channel_shape(), channels);
    let data = x.tokens().flat_map(|token| met.iter().filter_map(|entry| token.get(*entry))).copied();
    Tensor::new(x.shape_with(channels), data.collect())
}

/// The transpose of [`widen`]: what was repeated is summed.
pub fn narrow(x: &Tensor, channels: &[usize]) -> Tensor {
    let met = dim::broadcast_channels(channels, x.channel_shape());
    let mut sums = Tensor::zeros(&x.shape_with(channels));
    for (sums, token) in sums.tokens_mut().zip(x.tokens()) {
        for (entry, term) in met.iter().zip(token) {
            if let Some(sum) = sums.get_mut(*entry) {
                *sum += term;
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dims(sizes: &[usize]) -> Dims {
        sizes.iter().map(|&size| Dim::new("channels", size)).collect()
    }

    #[test]
    fn a_dimension_of_one_meets_any() {
        let of = |a: &[usize], b: &[usize]| broadcast_dims(&dims(a), &dims(b)).map(|dims| dim::sizes(&dims));
        assert_eq!(of(&[1], &[3]), Some(vec![3]));
        assert_eq!(of(&[2, 3], &[1, 3]), Some(vec![2, 3]));
        assert_eq!(of(&[2, 1], &[1, 3]), Some(vec![2, 3]));
        assert_eq!(of(&[1], &[2, 3]), Some(vec![2, 3]));
        assert_eq!(of(&[2], &[3]), None);
        assert_eq!(of(&[3], &[2, 3]), None);
        assert_eq!(of(&[], &[3]), None);
    }
}
