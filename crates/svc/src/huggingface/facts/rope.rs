//! Rotary positions as configs state them.

use super::exact;
use serde::Serialize;
use svspec_ir::op::rope::{self, RampEnds, Scaling};

/// Flat, as a config has it; `None` for what the kind has not.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Rope {
    /// `default`, `linear`, `llama3`, `yarn`, `longrope`.
    kind: &'static str,
    theta: String,
    /// The share of a head's channels that turn.
    fraction: String,
    factor: Option<String>,
    low_freq_factor: Option<String>,
    high_freq_factor: Option<String>,
    original_context: Option<usize>,
    beta_fast: Option<String>,
    beta_slow: Option<String>,
    attention_factor: Option<String>,
    truncate: Option<bool>,
    /// Of each frequency.
    factors: Option<Vec<String>>,
}

impl Rope {
    pub(super) fn of(rope: &rope::Rope, head_dim: usize, depth: usize) -> Self {
        let angles = &rope.angles;
        let plain = Self {
            kind: "default",
            theta: exact(angles.theta.at(Some(depth))),
            fraction: exact(angles.rotary_dim as f64 / head_dim as f64),
            ..Self::default()
        };
        match &angles.scaling {
            Scaling::Unscaled => plain,
            Scaling::Linear { factor } => Self { kind: "linear", factor: Some(exact(*factor)), ..plain },
            Scaling::Llama3(llama3) => Self {
                kind: "llama3",
                factor: Some(exact(llama3.factor)),
                low_freq_factor: Some(exact(llama3.low_freq_factor)),
                high_freq_factor: Some(exact(llama3.high_freq_factor)),
                original_context: Some(llama3.original_context),
                ..plain
            },
            Scaling::Yarn(yarn) => Self {
                kind: "yarn",
                factor: Some(exact(yarn.factor)),
                original_context: Some(yarn.original_context),
                beta_fast: Some(exact(yarn.beta_fast)),
                beta_slow: Some(exact(yarn.beta_slow)),
                attention_factor: Some(exact(yarn.attention_factor)),
                truncate: Some(yarn.ends == RampEnds::Whole),
                ..plain
            },
            Scaling::LongRope(long) => Self {
                kind: "longrope",
                factors: Some(long.factors.iter().copied().map(exact).collect()),
                attention_factor: Some(exact(long.attention_factor)),
                ..plain
            },
        }
    }
}
