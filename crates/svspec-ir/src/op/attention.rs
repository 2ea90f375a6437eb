//! Causal softmax attention over the whole context, heads grouped (GQA) where k and v have fewer.

use serde::Serialize;

/// Inputs: q `[heads, head_dim]`, k `[kv_heads, head_dim]`, v `[kv_heads, head_dim]`; output `[heads, head_dim]`.
/// Query head `h` reads key-value head `h / (heads / kv_heads)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Attention {
    /// Multiplies the scores; `1/sqrt(head_dim)` unless the spec says otherwise.
    pub scale: f64,
    /// Each query sees this many positions up to and including its own; `None`: all of them.
    pub window: Option<usize>,
    /// `cap · tanh(score / cap)`, after `scale`.
    pub soft_cap: Option<f64>,
}
