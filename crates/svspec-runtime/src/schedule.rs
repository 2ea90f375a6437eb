//! A schedule and a step in, the fraction of the peak learning rate out.

use crate::spec::{Schedule, Training};
use std::f64::consts::PI;

/// The factor of step `step`, from 0, of `steps`. No step gets 0 unless a floor is reached: warm-up begins at `1 / warmup`, and decay ends one
/// step above its floor.
pub fn factor(schedule: Schedule, step: u64, steps: u64) -> f64 {
    let warming = |warmup: u64| (step < warmup).then(|| (step + 1) as f64 / warmup as f64);
    match schedule {
        Schedule::Constant { warmup } => warming(warmup).unwrap_or(1.0),
        Schedule::Cosine { warmup, floor } => warming(warmup).unwrap_or_else(|| {
            let progress = (step - warmup) as f64 / (steps.saturating_sub(warmup)).max(1) as f64;
            floor + (1.0 - floor) * 0.5 * (1.0 + (PI * progress.min(1.0)).cos())
        }),
        Schedule::Wsd { warmup, decay, floor } => warming(warmup).unwrap_or_else(|| {
            let left = steps.saturating_sub(step);
            let remaining = if left < decay { left as f64 / decay as f64 } else { 1.0 };
            floor + (1.0 - floor) * remaining
        }),
    }
}

impl Training {
    /// The same run in `steps` steps: every length of it shrinks or grows in proportion.
    #[must_use]
    pub fn with_steps(self, steps: u64) -> Self {
        if steps == self.steps {
            return self;
        }
        let ratio = steps as f64 / self.steps.max(1) as f64;
        let scaled = |length: u64| (length as f64 * ratio).round() as u64;
        let schedule = match self.schedule {
            Schedule::Constant { warmup } => Schedule::Constant { warmup: scaled(warmup) },
            Schedule::Cosine { warmup, floor } => Schedule::Cosine { warmup: scaled(warmup), floor },
            Schedule::Wsd { warmup, decay, floor } => {
                Schedule::Wsd { warmup: scaled(warmup), decay: scaled(decay), floor }
            }
        };
        Self {
            steps,
            schedule,
            eval_every: scaled(self.eval_every).max(1),
            checkpoint_every: scaled(self.checkpoint_every).max(1),
            ..self
        }
    }
}
