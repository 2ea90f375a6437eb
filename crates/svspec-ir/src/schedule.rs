//! A schedule and a step in; the fraction of the peak learning rate, or of a rule's weight decay, out. Lengths are in steps.
//!
//! The trainer has the same functions (`svspec-runtime/src/schedule.rs`); `tests/generated` compares the two.

use serde::Serialize;
use std::f64::consts::PI;

/// A fraction over time: a warm-up in a line from 0, then one of these.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// The peak.
    Constant {
        /// Steps of warm-up.
        warmup: u64,
    },
    /// In a line to `floor`.
    Linear {
        /// Steps of warm-up.
        warmup: u64,
        /// The final fraction of the peak.
        floor: f64,
    },
    /// Half a cosine to `floor` (arXiv 1608.03983, without restarts).
    Cosine {
        /// Steps of warm-up.
        warmup: u64,
        /// The final fraction of the peak.
        floor: f64,
    },
    /// The peak, then down to `floor` in the last steps: warm-up, stable, decay (arXiv 2404.06395).
    Wsd {
        /// Steps of warm-up.
        warmup: u64,
        /// Steps of decay at the end.
        decay: u64,
        /// The final fraction of the peak.
        floor: f64,
        /// The course of the decay.
        shape: Shape,
    },
    /// `sqrt(warmup / step)`, steps counted from 1 (arXiv 1706.03762).
    InverseSqrt {
        /// Steps of warm-up.
        warmup: u64,
    },
}

/// A fall from 1 to 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `1 − t`
    Linear,
    /// `1 − sqrt(t)` (arXiv 2405.18392).
    Sqrt,
    /// `(1 + cos(π t)) / 2`
    Cosine,
}

impl Shape {
    /// Each with its word in the language.
    pub const ALL: [(&str, Self); 3] =
        [("linear", Self::Linear), ("sqrt", Self::Sqrt), ("cosine", Self::Cosine)];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Sqrt => "sqrt",
            Self::Cosine => "cosine",
        }
    }

    /// What is left after a share `t` of the fall.
    fn left(self, t: f64) -> f64 {
        match self {
            Self::Linear => 1.0 - t,
            Self::Sqrt => 1.0 - t.sqrt(),
            Self::Cosine => 0.5 * (1.0 + (PI * t).cos()),
        }
    }
}

impl Schedule {
    /// The fraction in step `step`, from 0, of `steps`. A warm-up begins at `1 / warmup`, and a fall ends one step above
    /// its floor, so that no step is spent on a rate of 0.
    pub fn factor(self, step: u64, steps: u64) -> f64 {
        let warmup = self.warmup();
        if step < warmup {
            return (step + 1) as f64 / warmup as f64;
        }
        let fall = |begin: u64, floor: f64, shape: Shape| {
            let length = steps.saturating_sub(begin).max(1) as f64;
            let t = (step.saturating_sub(begin) as f64 / length).min(1.0);
            floor + (1.0 - floor) * shape.left(t)
        };
        match self {
            Self::Constant { .. } => 1.0,
            Self::Linear { floor, .. } => fall(warmup, floor, Shape::Linear),
            Self::Cosine { floor, .. } => fall(warmup, floor, Shape::Cosine),
            Self::Wsd { decay, floor, shape, .. } => fall(steps.saturating_sub(decay), floor, shape),
            Self::InverseSqrt { .. } => (warmup.max(1) as f64 / (step + 1) as f64).sqrt(),
        }
    }

    /// Steps of warm-up.
    pub fn warmup(self) -> u64 {
        match self {
            Self::Constant { warmup }
            | Self::Linear { warmup, .. }
            | Self::Cosine { warmup, .. }
            | Self::Wsd { warmup, .. }
            | Self::InverseSqrt { warmup } => warmup,
        }
    }

    /// The steps at which its course changes: the first, the first after the warm-up, the first of a decay, the last.
    pub fn turns(self, steps: u64) -> Vec<u64> {
        let mut turns = vec![0, self.warmup()];
        if let Self::Wsd { decay, .. } = self {
            turns.push(steps.saturating_sub(decay));
        }
        turns.push(steps.saturating_sub(1));
        turns.retain(|step| *step < steps);
        turns.sort_unstable();
        turns.dedup();
        turns
    }

    /// Whether it is 1 in every step.
    pub fn is_flat(self) -> bool {
        self == Self::Constant { warmup: 0 }
    }
}
