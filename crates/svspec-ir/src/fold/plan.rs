//! What folding does with each scale vector of a checked model, decided before any value is known: into which weights,
//! or why not and what would change that.

use super::cure::{self, Cure};
use crate::{Absorption, CheckedModel, ScaleId};

/// What becomes of a scale vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// γ goes into weights, and ones stay in its place. Never [`Absorption::None`].
    Folds(Absorption),
    /// It stays where it is.
    Stays {
        /// Why, in words: forward, then backward.
        reason: String,
        /// Changes of the spec after which it would fold; each has been tried on the graph.
        cures: Vec<Cure>,
    },
}

/// One scale vector and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Which.
    pub scale: ScaleId,
    /// What becomes of it.
    pub outcome: Outcome,
}

/// Decides over every scale vector, in the model's order.
pub fn plan(checked: &CheckedModel) -> Vec<Planned> {
    let decide = |absorption: &Absorption, scale: ScaleId| match absorption {
        Absorption::IntoColumns(_) | Absorption::IntoRows(_) => Outcome::Folds(absorption.clone()),
        Absorption::None(reason) => {
            Outcome::Stays { reason: reason.clone(), cures: cure::cures(checked.model(), scale) }
        }
    };
    let facts = checked.facts().iter();
    facts
        .map(|facts| Planned { scale: facts.scale, outcome: decide(&facts.absorption, facts.scale) })
        .collect()
}
