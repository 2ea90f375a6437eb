//! Deterministic normalisation over trailing dimensions; the scale vector, if any, is a `scale` of its own.

use serde::Serialize;

/// Which statistic is divided out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// `x / sqrt(mean(x²) + eps)`
    Rms,
    /// `(x − mean(x)) / sqrt(var(x) + eps)`, the variance biased, as LayerNorm's.
    Layer,
}

/// Normalises each token over its last `num_axes` dimensions; input and output have the same dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Normalize {
    /// The statistic.
    pub norm: Norm,
    /// How many trailing dimensions are normalised together: 1 of `[heads, head_dim]` is per head, 2 is full width.
    pub num_axes: usize,
    /// Added under the root.
    pub eps: f64,
}
