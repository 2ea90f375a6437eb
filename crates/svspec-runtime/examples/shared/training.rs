//! The settings of what takes steps by itself, without a run.

use svspec_runtime::spec::{Health, Precision, Schedule, Training};

pub const TRAINING: Training = Training {
    steps: 1,
    batch: 1,
    micro_batch: 1,
    schedule: Schedule::Constant { warmup: 0 },
    decay_schedule: Schedule::Constant { warmup: 0 },
    precision: Precision::F32,
    clip: Some(1.0),
    eval_every: 1,
    checkpoint_every: 1,
    keep_last: 1,
    keep_every: None,
    health: Health::USUAL,
    seed: 0,
    lr: 1e-3,
};
