//! A schedule and a step in, the fractions of the peak learning rate and of the weight decay out.

use crate::spec::{Schedule, Shape, Training};
use std::f64::consts::PI;

/// What a step multiplies each group's peak learning rate and weight decay by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factors {
    /// On the learning rate.
    pub lr: f64,
    /// On the weight decay, which the learning rate multiplies too.
    pub decay: f64,
}

impl Factors {
    /// Both as the groups say.
    pub const PEAK: Self = Self { lr: 1.0, decay: 1.0 };

    /// The same at learning rates that are all multiplied by `lr_scale`.
    #[must_use]
    pub fn scaled(self, lr_scale: f64) -> Self {
        Self { lr: self.lr * lr_scale, ..self }
    }
}

/// The factor of step `step`, from 0, of `steps`. No step gets 0 unless a floor is reached: warm-up begins at `1 / warmup`, and a fall ends
/// one step above its floor.
pub fn factor(schedule: Schedule, step: u64, steps: u64) -> f64 {
    let warming = |warmup: u64| (step < warmup).then(|| (step + 1) as f64 / warmup as f64);
    let fall = |begin: u64, floor: f64, shape: Shape| {
        let length = steps.saturating_sub(begin).max(1) as f64;
        let t = (step.saturating_sub(begin) as f64 / length).min(1.0);
        floor + (1.0 - floor) * left(shape, t)
    };
    match schedule {
        Schedule::Constant { warmup } => warming(warmup).unwrap_or(1.0),
        Schedule::Linear { warmup, floor } => {
            warming(warmup).unwrap_or_else(|| fall(warmup, floor, Shape::Linear))
        }
        Schedule::Cosine { warmup, floor } => {
            warming(warmup).unwrap_or_else(|| fall(warmup, floor, Shape::Cosine))
        }
        Schedule::Wsd { warmup, decay, floor, shape } => {
            warming(warmup).unwrap_or_else(|| fall(steps.saturating_sub(decay), floor, shape))
        }
        Schedule::InverseSqrt { warmup } => {
            warming(warmup).unwrap_or_else(|| (warmup.max(1) as f64 / (step + 1) as f64).sqrt())
        }
    }
}

/// What is left after a share `t` of a fall.
fn left(shape: Shape, t: f64) -> f64 {
    match shape {
        Shape::Linear => 1.0 - t,
        Shape::Sqrt => 1.0 - t.sqrt(),
        Shape::Cosine => 0.5 * (1.0 + (PI * t).cos()),
    }
}

impl Training {
    /// What holds in step `step`, from 0.
    pub fn factors(&self, step: u64) -> Factors {
        Factors {
            lr: factor(self.schedule, step, self.steps),
            decay: factor(self.decay_schedule, step, self.steps),
        }
    }

    /// The same run in `steps` steps: every length of it shrinks or grows in proportion.
    #[must_use]
    pub fn with_steps(self, steps: u64) -> Self {
        if steps == self.steps {
            return self;
        }
        let ratio = steps as f64 / self.steps.max(1) as f64;
        let scaled = |length: u64| (length as f64 * ratio).round() as u64;
        let shrunk = |schedule: Schedule| match schedule {
            Schedule::Constant { warmup } => Schedule::Constant { warmup: scaled(warmup) },
            Schedule::Linear { warmup, floor } => Schedule::Linear { warmup: scaled(warmup), floor },
            Schedule::Cosine { warmup, floor } => Schedule::Cosine { warmup: scaled(warmup), floor },
            Schedule::Wsd { warmup, decay, floor, shape } => {
                Schedule::Wsd { warmup: scaled(warmup), decay: scaled(decay), floor, shape }
            }
            Schedule::InverseSqrt { warmup } => Schedule::InverseSqrt { warmup: scaled(warmup) },
        };
        Self {
            steps,
            schedule: shrunk(self.schedule),
            decay_schedule: shrunk(self.decay_schedule),
            eval_every: scaled(self.eval_every).max(1),
            checkpoint_every: scaled(self.checkpoint_every).max(1),
            ..self
        }
    }
}
