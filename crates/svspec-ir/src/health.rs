//! What a run does when something is wrong with it.

use serde::Serialize;

/// What a run does then. It is noted in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Nothing more.
    Log,
    /// It ends, and leaves a checkpoint of the step before.
    Stop,
    /// It does not take the step, and goes on with the next batch.
    Skip,
    /// It goes on from its newest checkpoint with the batches after this one.
    RollBack,
}

/// When the loss leaps, and what is done then.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spike {
    /// What is done.
    pub remedy: Remedy,
    /// So many standard deviations above the running mean of the loss.
    pub deviations: f64,
}

/// The faults that a run looks for, and what it does about each.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Health {
    /// A loss or a gradient that is no finite number.
    pub on_non_finite: Remedy,
    /// A loss far above those before it.
    pub on_spike: Spike,
    /// A scale vector that no gradient reaches, or that lets nothing through.
    pub on_dead_scale: Remedy,
}

impl Remedy {
    /// As the language writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Stop => "stop",
            Self::Skip => "skip",
            Self::RollBack => "roll_back",
        }
    }
}

impl Default for Health {
    fn default() -> Self {
        Self {
            on_non_finite: Remedy::Stop,
            on_spike: Spike { remedy: Remedy::Log, deviations: 6.0 },
            on_dead_scale: Remedy::Log,
        }
    }
}
