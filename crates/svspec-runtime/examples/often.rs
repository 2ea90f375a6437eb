//! A trainer of the smallest model that has everything, with a checkpoint every third step of which it keeps some: for the
//! test that kills it.

#[path = "../tests/runtime/hand.rs"]
mod hand;

use hand::{Hand, Size};
use svspec_runtime::spec::{Health, Precision, Schedule, Training};

/// One layer of width 16 on 16 bytes of context.
struct Often;

impl Size for Often {
    const NAME: &'static str = "often";
    const CONTEXT: i64 = 16;
    const WIDTH: i64 = 16;
    const NUM_LAYERS: usize = 1;
    const NUM_HEADS: i64 = 2;
    const HIDDEN: i64 = 32;
    const TRAINING: Training = Training {
        steps: 60,
        batch: 4,
        micro_batch: 2,
        schedule: Schedule::Cosine { warmup: 6, floor: 0.1 },
        decay_schedule: Schedule::Constant { warmup: 0 },
        precision: Precision::F32,
        clip: Some(1.0),
        eval_every: 20,
        checkpoint_every: 3,
        keep_last: 2,
        keep_every: Some(5),
        health: Health::USUAL,
        seed: 0,
        lr: 1e-2,
    };
}

fn main() -> std::process::ExitCode {
    svspec_runtime::main::<Hand<Often>>()
}
