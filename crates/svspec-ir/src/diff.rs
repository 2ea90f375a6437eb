//! From two models to what changed in meaning between them, each change with its class and the reason for it.

mod edge;
mod mapping;
mod markdown;
mod placement;
mod scales;
mod section;
mod settings;
mod size;
mod tensors;
mod text;
mod treatment;
mod verdict;

pub use placement::PlacementChange;
pub use scales::{ScaleChange, ScaleSummary};
pub use settings::SettingChange;
pub use size::{Quantity, SizeChange};
pub use tensors::TensorChange;
pub use treatment::{InitChange, Treatment, TreatmentChange};
pub use verdict::Verdict;

use crate::CheckedModel;
use crate::migrate::{self, Known};
use serde::Serialize;

/// What a change means for a checkpoint of the old model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// There is a mapping of its parameters under which the new model computes the same function.
    FunctionPreserving,
    /// It loads: the tensors have the same names and shapes. But the new model computes another function of them.
    CheckpointCompatible,
    /// The tensors differ, and no mapping of them is known to keep the function.
    Breaking,
}

/// All that changed from one model to another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diff {
    /// The layout's version.
    pub format_version: u32,
    /// The old model's name.
    pub old: String,
    /// The new model's name.
    pub new: String,
    /// The change as a whole.
    pub verdict: Verdict,
    /// Numbers of the architecture: sizes, eps, theta, windows.
    pub settings: Vec<SettingChange>,
    /// What is wired to what, and through what.
    pub placement: Vec<PlacementChange>,
    /// Weights, embeddings and biases that came, went or changed shape.
    pub tensors: Vec<TensorChange>,
    /// Scale vectors that came, went or changed.
    pub scales: Vec<ScaleChange>,
    /// Tensors of both that the optimizer treats otherwise now.
    pub groups: Vec<TreatmentChange>,
    /// Tensors of both that start otherwise now.
    pub init: Vec<InitChange>,
    /// Settings of the optimizer and of training.
    pub training: Vec<SettingChange>,
    /// Parameters, compute and memory.
    pub sizes: Vec<SizeChange>,
}

/// Compares two checked models.
pub fn diff(old: &CheckedModel, new: &CheckedModel) -> Diff {
    // The one judge of whether the function can be kept; what is compared by name below says what changed.
    let map = migrate::plan(old, new, &Known::default());
    let mut settings = settings::architecture(old.model(), new.model());
    let mut placement = placement::changes(old.model(), new.model());
    let mut tensors = tensors::changes(old.model(), new.model());
    let scales = scales::changes(old, new, map.as_ref().ok());
    if map.is_ok() {
        let classes = settings.iter_mut().map(|change| &mut change.class);
        let classes = classes.chain(placement.iter_mut().map(|change| &mut change.class));
        for class in classes.chain(tensors.iter_mut().map(|change| &mut change.class)) {
            *class = Class::FunctionPreserving;
        }
    }
    let mut verdict =
        verdict::verdict((old.model(), new.model()), &map, &settings, &placement, &tensors, &scales);
    if let (Ok(_), Some(paths)) = (&map, treatment::newly_unit(old, new)) {
        verdict
            .reasons
            .push(format!("of a run only if the norms of {paths} are 1, as they are kept from now on"));
    }
    Diff {
        format_version: crate::print::FORMAT_VERSION,
        old: old.model().name.clone(),
        new: new.model().name.clone(),
        verdict,
        settings,
        placement,
        tensors,
        scales,
        groups: treatment::groups(old, new),
        init: treatment::init(old, new),
        training: settings::training(old.model(), new.model()),
        sizes: size::changes(old, new),
    }
}

impl Diff {
    /// Whether nothing changed but, perhaps, the name.
    pub fn is_empty(&self) -> bool {
        self.settings.is_empty()
            && self.placement.is_empty()
            && self.tensors.is_empty()
            && self.scales.is_empty()
            && self.groups.is_empty()
            && self.init.is_empty()
            && self.training.is_empty()
    }

    /// As plain text for a terminal, sections only where something changed.
    pub fn text(&self) -> String {
        text::text(self)
    }

    /// As Markdown for a review comment.
    pub fn markdown(&self) -> String {
        markdown::markdown(self)
    }
}

impl Class {
    /// The class in words: `function-preserving`.
    pub fn word(self) -> &'static str {
        match self {
            Self::FunctionPreserving => "function-preserving",
            Self::CheckpointCompatible => "checkpoint-compatible",
            Self::Breaking => "breaking",
        }
    }
}
