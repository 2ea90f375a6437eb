//! What a run does when something is wrong with it, as the spec says.

/// What is done about a fault, besides noting it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing more.
    Log,
    /// The run ends with a checkpoint of the step before.
    Stop,
    /// The step is not taken.
    Skip,
    /// The run goes on from its newest checkpoint, with the batches after this one.
    RollBack,
}

impl Remedy {
    /// As the spec and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Stop => "stop",
            Self::Skip => "skip",
            Self::RollBack => "roll_back",
        }
    }

    /// Whether no step after the one at fault is of use.
    pub fn ends_the_sitting(self) -> bool {
        match self {
            Self::Stop | Self::RollBack => true,
            Self::Log | Self::Skip => false,
        }
    }
}

/// When the loss leaps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spike {
    /// What is done.
    pub remedy: Remedy,
    /// So many standard deviations above the running mean.
    pub deviations: f64,
}

/// The faults that are looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Health {
    /// A loss or a gradient that is no finite number.
    pub on_non_finite: Remedy,
    /// A loss far above those before it.
    pub on_spike: Spike,
    /// A scale vector that no gradient reaches, or that lets nothing through.
    pub on_dead_scale: Remedy,
}

impl Health {
    /// What holds if a spec says nothing.
    pub const USUAL: Self = Self {
        on_non_finite: Remedy::Stop,
        on_spike: Spike { remedy: Remedy::Log, deviations: 6.0 },
        on_dead_scale: Remedy::Log,
    };
}
