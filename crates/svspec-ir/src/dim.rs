//! Named dimensions. Every activation is `[batch, time]` followed by the dimensions that a node lists.

use serde::Serialize;

/// A dimension: its name, as printed (`width`, `heads`, `head_dim`, `hidden`, `vocab`), and its size.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Dim {
    /// The name.
    pub name: String,
    /// The number of entries, at least 1.
    pub size: usize,
}

impl Dim {
    /// A dimension called `name`.
    pub fn new(name: impl Into<String>, size: usize) -> Self {
        Self { name: name.into(), size }
    }
}

/// Dimensions, outermost first, without batch and time.
pub type Dims = Vec<Dim>;

/// The number of entries of a value with these dimensions, for one token.
pub fn num_elements(dims: &[Dim]) -> usize {
    dims.iter().map(|dim| dim.size).product()
}

/// The sizes alone.
pub fn sizes(dims: &[Dim]) -> Vec<usize> {
    dims.iter().map(|dim| dim.size).collect()
}

/// Dimensions as messages show them: `[heads 4, head_dim 32]`.
pub fn show(dims: &[Dim]) -> String {
    let shown: Vec<String> = dims.iter().map(|dim| format!("{} {}", dim.name, dim.size)).collect();
    format!("[{}]", shown.join(", "))
}

/// Whether a parameter of sizes `inner` broadcasts over a value of sizes `outer`: it is a suffix of them, a size of 1
/// standing for any.
pub fn broadcasts(inner: &[usize], outer: &[usize]) -> bool {
    inner.len() <= outer.len()
        && inner.iter().rev().zip(outer.iter().rev()).all(|(inner, outer)| *inner == 1 || inner == outer)
}

/// For each channel of a value of sizes `outer`, counted flat, the entry of a parameter of sizes `inner` that meets it.
/// `inner` must broadcast over `outer`.
pub fn broadcast_channels(inner: &[usize], outer: &[usize]) -> Vec<usize> {
    let entry = |channel: usize| {
        let (mut rest, mut entry, mut stride) = (channel, 0, 1);
        for (outer, inner) in outer.iter().rev().zip(inner.iter().rev()) {
            if *inner != 1 {
                entry += rest % outer * stride;
            }
            rest /= outer;
            stride *= inner;
        }
        entry
    };
    (0..outer.iter().product()).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_repeats_over_the_leading_dimensions() {
        assert_eq!(broadcast_channels(&[3], &[2, 3]), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn a_size_of_one_stands_for_any() {
        assert_eq!(broadcast_channels(&[2, 1], &[2, 3]), [0, 0, 0, 1, 1, 1]);
    }

    #[test]
    fn a_scalar_meets_every_channel() {
        assert_eq!(broadcast_channels(&[], &[2, 2]), [0, 0, 0, 0]);
    }

    #[test]
    fn only_suffixes_broadcast() {
        assert!(broadcasts(&[2, 1], &[5, 2, 3]));
        assert!(!broadcasts(&[2], &[2, 3]));
        assert!(!broadcasts(&[2, 3], &[3]));
    }
}
