//! The tests' model: small enough for a test's patience.

use crate::hand::Size;
use svspec_runtime::spec::{Health, Precision, Schedule, Shape, Training};

/// Two layers of width 32 on 32 bytes of context, in f32.
pub struct Tiny;

impl Size for Tiny {
    const NAME: &'static str = "tiny";
    const TRAINING: Training = Training {
        steps: 40,
        batch: 8,
        micro_batch: 8,
        schedule: Schedule::Wsd { warmup: 4, decay: 8, floor: 0.0, shape: Shape::Linear },
        decay_schedule: Schedule::Constant { warmup: 0 },
        precision: Precision::F32,
        clip: Some(1.0),
        eval_every: 10,
        checkpoint_every: 40,
        keep_last: 1,
        keep_every: None,
        health: Health::USUAL,
        seed: 0,
        lr: 1e-2,
    };
}
