//! Parameters, compute and memory, before and after, as the crates are generated.

use crate::CheckedModel;
use crate::cost::{self, CostReport};
use crate::print::number::{bytes, grouped, si};
use crate::rewrite::{self, Rewrites};
use serde::Serialize;

/// A quantity that changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SizeChange {
    /// What is counted.
    pub quantity: Quantity,
    /// The old number.
    pub before: f64,
    /// The new number.
    pub after: f64,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Entries of all tensors.
    Parameters,
    /// Entries of scale vectors.
    ScaleParameters,
    /// Operations of training, per token.
    TrainingFlopsPerToken,
    /// Bytes of a training step at its peak.
    StepMemory,
}

/// The quantities that differ.
pub(super) fn changes(old: &CheckedModel, new: &CheckedModel) -> Vec<SizeChange> {
    let report = |checked: &CheckedModel| {
        let (model, _) = rewrite::optimise(checked.model(), &Rewrites::default());
        cost::cost(&model, checked.assignments())
    };
    let (old, new) = (report(old), report(new));
    let quantities = [
        Quantity::Parameters,
        Quantity::ScaleParameters,
        Quantity::TrainingFlopsPerToken,
        Quantity::StepMemory,
    ];
    let change =
        |quantity: Quantity| SizeChange { quantity, before: quantity.of(&old), after: quantity.of(&new) };
    let all = quantities.into_iter().map(change);
    all.filter(|change| change.before.total_cmp(&change.after).is_ne()).collect()
}

impl Quantity {
    fn of(self, report: &CostReport) -> f64 {
        match self {
            Self::Parameters => report.num_params as f64,
            Self::ScaleParameters => report.num_scale_params as f64,
            Self::TrainingFlopsPerToken => report.flops.training,
            Self::StepMemory => report.memory.total as f64,
        }
    }

    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Parameters => "parameters",
            Self::ScaleParameters => "of scale vectors",
            Self::TrainingFlopsPerToken => "training FLOPs per token",
            Self::StepMemory => "memory of a step",
        }
    }

    /// A number of this quantity as people read it.
    pub fn text(self, number: f64) -> String {
        match self {
            Self::Parameters | Self::ScaleParameters => grouped(number as u64),
            Self::TrainingFlopsPerToken => si(number),
            Self::StepMemory => bytes(number),
        }
    }
}
