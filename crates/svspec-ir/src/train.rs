//! What the `train` block says.

use crate::{Health, Schedule};
use serde::Serialize;

/// How long to train.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// This many optimizer steps.
    Steps(u64),
    /// This many tokens; the steps are this over the batch, rounded up.
    Tokens(u64),
}

/// The type of activations and matrix products, and of what lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit.
    F32,
    /// bfloat16 compute; weights and what the optimizer remembers are f32.
    Bf16,
    /// bfloat16 throughout, rounded stochastically where a step is written back.
    Bf16Stochastic,
}

/// How many tokens the head and the loss take at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LossChunk {
    /// What [`cost::loss_chunk`](crate::cost::loss_chunk) finds.
    Auto,
    /// All of a micro-batch.
    All,
    /// So many.
    Tokens(u64),
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
    /// The weight decay over time, beside what follows from the learning rate.
    pub decay_schedule: Schedule,
    /// The compute type.
    pub precision: Precision,
    /// The tokens for which logits are held at once.
    pub loss_chunk: LossChunk,
    /// Layers, from the first on, whose activations the backward pass computes again.
    pub recompute: usize,
    /// The global gradient norm to clip to; `None`: no clipping.
    pub clip: Option<f64>,
    /// Steps between validation losses.
    pub eval_every: u64,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// How many of the newest checkpoints stay; at least 1.
    pub keep_last: u64,
    /// One of so many checkpoints stays for good.
    pub keep_every: Option<u64>,
    /// What is done when something is wrong.
    pub health: Health,
    /// The default seed.
    pub seed: u64,
}
