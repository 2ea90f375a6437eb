//! Whether one model is another under other names: two models in; which tensor is which and what has to be folded for
//! that out, or the first place where they compute different things.
//!
//! Names of parts, of layers and of values are free, and so is which values are computed once and which twice. A scale
//! vector of ours without a place in the other model is folded into weights; a place for one that ours lacks is filled
//! with ones; one tensor of ours may be several of theirs. Nothing else may differ.

mod alike;
mod difference;
mod known;
mod pairing;
mod vectors;

pub use difference::{Difference, Mismatch};
pub use known::Known;

use crate::eval::{Tensor, Values};
use crate::{Absorption, CheckedModel, Instance, Model, ScaleForm, ScaleId, dim, fold, scale};
use pairing::{Fault, MustFold, Pairing};
use std::collections::{BTreeMap, BTreeSet};

/// Where the value of a tensor of the other model comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A tensor of ours, as it is after folding.
    Tensor(Instance),
    /// γ of a vector of ours, in the form that the other model keeps it in.
    Gamma {
        /// The vector of ours.
        scale: ScaleId,
        /// Its layer; `None` outside the stack.
        layer: Option<usize>,
        /// The other vector's form.
        form: ScaleForm,
        /// Which of that form's parameters.
        index: usize,
    },
    /// The values that make γ ones.
    Identity {
        /// The other vector's form.
        form: ScaleForm,
        /// Which of that form's parameters.
        index: usize,
    },
}

/// How one model is another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correspondence {
    /// The vectors of ours that have no place in the other model, in order; each of them folds.
    pub folded: Vec<ScaleId>,
    /// For each tensor of the other model, where its value comes from.
    pub tensors: BTreeMap<Instance, Source>,
    /// The vectors of the other model that several of ours, all equal, become.
    pub merged: BTreeSet<ScaleId>,
}

/// Finds how `ours` is `theirs`, from the embedding to the logits, whatever the values.
pub fn correspondence(ours: &CheckedModel, theirs: &Model) -> Result<Correspondence, Mismatch> {
    correspondence_of(ours, theirs, &Known::default())
}

/// The same for values of which something is known: vectors that are equal may become one, and positive ones exponential.
pub fn correspondence_of(
    ours: &CheckedModel,
    theirs: &Model,
    known: &Known,
) -> Result<Correspondence, Mismatch> {
    let mut folded = BTreeSet::new();
    loop {
        let mut pairing = Pairing::new(ours.model(), theirs, &folded, known);
        let walked = pairing.pair();
        let num_met = pairing.num_met();
        let mismatch = |difference: Difference| Mismatch { difference, num_met };
        match walked {
            Ok(()) => return complete(pairing.finish(), theirs).map_err(mismatch),
            Err(Fault::Differs(difference)) => return Err(mismatch(difference)),
            Err(Fault::MustFold(MustFold(scales))) => {
                for (scale, why) in scales {
                    if let Some(difference) = unfoldable(ours, scale, why) {
                        return Err(mismatch(difference));
                    }
                    folded.insert(scale);
                }
            }
        }
    }
}

/// A correspondence that says something of every tensor.
fn complete(found: Correspondence, theirs: &Model) -> Result<Correspondence, Difference> {
    let unread = theirs.instances().into_iter().find(|instance| !found.tensors.contains_key(instance));
    match unread {
        Some(instance) => Err(Difference::Unread { name: theirs.instance_name(instance) }),
        None => Ok(found),
    }
}

fn unfoldable(ours: &CheckedModel, scale: ScaleId, why: String) -> Option<Difference> {
    let facts = ours.facts().iter().find(|facts| facts.scale == scale)?;
    let path = ours.model().scales.get(scale.0).map_or(String::new(), |scale| scale.path.clone());
    match &facts.absorption {
        Absorption::IntoColumns(_) | Absorption::IntoRows(_) => None,
        Absorption::None(reason) => Some(Difference::Unfoldable { path, why, reason: reason.clone() }),
    }
}

/// `values` after those vectors that have no place are folded away; it may hold only some of the model's layers, and of
/// these the parameters of vectors and the weights into which they go alone.
pub fn folded(ours: &CheckedModel, values: &Values, correspondence: &Correspondence) -> Values {
    let facts: Vec<_> =
        ours.facts().iter().filter(|facts| correspondence.folded.contains(&facts.scale)).cloned().collect();
    fold::fold(ours.model(), values, &facts)
}

/// The value of the other model's tensor `instance`, from values of ours as [`folded`] left them; `None` if they lack it, or
/// if it has no such value: exponentials are positive.
pub fn value(
    ours: &Model,
    theirs: &Model,
    values: &Values,
    instance: Instance,
    source: Source,
) -> Option<Tensor> {
    let sizes = dim::sizes(&theirs.params.get(instance.param.0)?.dims);
    match source {
        Source::Tensor(own) => values.get(&own).cloned(),
        Source::Identity { form, index } => Some(Tensor::filled(&sizes, *form.identity().get(index)?)),
        Source::Gamma { scale, layer, form, index } => {
            let gamma = scale::gamma(ours, scale, layer, values);
            let full = theirs.scales.iter().find(|vector| vector.params.contains(&instance.param))?;
            let entry = |entry: usize| gamma.data.get(entry).copied().unwrap_or(f64::NAN);
            let wanted = dim::sizes(&full.dims);
            let entries: Vec<f64> =
                dim::broadcast_channels(&gamma.shape, &wanted).into_iter().map(entry).collect();
            debug_assert_eq!(full.form, form, "the form is that of the vector that the tensor is part of");
            let data = full.parameters(&entries)?.into_iter().nth(index)?;
            Some(Tensor::new(sizes, data))
        }
    }
}
