//! What the `optimizer` and `train` blocks say, rules aside.

use serde::Serialize;

/// AdamW (Loshchilov & Hutter, arXiv 1711.05101); decay is set by rules.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AdamW {
    /// The peak learning rate; a rule's `lr` multiplies it.
    pub lr: f64,
    /// β1 and β2.
    pub betas: (f64, f64),
    /// ε.
    pub eps: f64,
}

/// How long to train.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// This many optimizer steps.
    Steps(u64),
    /// This many tokens; the steps are this over the batch, rounded up.
    Tokens(u64),
}

/// The learning rate over time; warm-up is linear from 0. Lengths are in steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Constant after the warm-up.
    Constant {
        /// Steps of warm-up.
        warmup: u64,
    },
    /// Cosine to `floor` times the peak.
    Cosine {
        /// Steps of warm-up.
        warmup: u64,
        /// The final fraction of the peak.
        floor: f64,
    },
    /// Warm-up, stable, then linear to `floor` times the peak (arXiv 2404.06395).
    Wsd {
        /// Steps of warm-up.
        warmup: u64,
        /// Steps of decay at the end.
        decay: u64,
        /// The final fraction of the peak.
        floor: f64,
    },
}

/// The type of activations and matrix products; master weights are always f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit.
    F32,
    /// bfloat16 compute.
    Bf16,
}

/// The training settings, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Train {
    /// As the spec says it.
    pub budget: Budget,
    /// Optimizer steps.
    pub steps: u64,
    /// Sequences per optimizer step.
    pub batch: u64,
    /// Sequences per forward pass; divides `batch`.
    pub micro_batch: u64,
    /// The learning rate over time.
    pub schedule: Schedule,
    /// The compute type.
    pub precision: Precision,
    /// The global gradient norm to clip to; `None`: no clipping.
    pub clip: Option<f64>,
    /// Steps between validation losses.
    pub eval_every: u64,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// The default seed.
    pub seed: u64,
}
