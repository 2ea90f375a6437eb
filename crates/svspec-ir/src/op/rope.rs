//! Rotary position embedding (RoFormer, arXiv 2104.09864), in the half-split layout of Llama as Hugging Face ships it.

use serde::Serialize;

/// Rotates pairs `(i, i + rotary_dim/2)` of the last dimension by `t · theta^(−2i/rotary_dim)`, `t` the position from
/// 0; channels from `rotary_dim` on are left alone. Input and output: `[heads, head_dim]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rope {
    /// The base.
    pub theta: f64,
    /// How many channels rotate; even, at most `head_dim`.
    pub rotary_dim: usize,
}
