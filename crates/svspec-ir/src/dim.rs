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
