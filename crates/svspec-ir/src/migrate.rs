//! Carrying a trained model to another spec: two checked models in; for each tensor of the new one how it is made of the
//! old ones, so that the function stays, and what becomes of the optimizer's memory of it, out; or why there is no such map.

mod memory;

pub use crate::correspondence::{Difference, Known};
pub use memory::{Memory, Moment};

use crate::correspondence::{self, Correspondence, Source};
use crate::eval::{Tensor, Values};
use crate::fold::{self, Side};
use crate::{Absorption, CheckedModel, Instance, Model, ParamKind, ScaleForm, ScaleId, dim, scale};

/// How every tensor of the new model is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The vectors of the old model that go into its weights, in order.
    pub folded: Vec<ScaleId>,
    /// One for each tensor of the new model, in the order of its instances.
    pub steps: Vec<Step>,
}

/// How one tensor of the new model is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The tensor.
    pub tensor: Instance,
    /// Its value.
    pub how: How,
    /// What the optimizer remembers of it.
    pub memory: Memory,
}

/// The value of a tensor of the new model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// That of an old tensor.
    Copy(Instance),
    /// That of an old tensor, with rows or columns multiplied by vectors, at least one.
    Multiplied(Instance, Vec<Factor>),
    /// γ of an old vector, in the form that the new model keeps it in.
    Gamma {
        /// The old vector.
        scale: ScaleId,
        /// Its layer; `None` outside the stack.
        layer: Option<usize>,
        /// The new vector's form.
        form: ScaleForm,
        /// Which of that form's parameters.
        index: usize,
    },
    /// The values that make γ ones.
    Identity {
        /// The new vector's form.
        form: ScaleForm,
        /// Which of that form's parameters.
        index: usize,
    },
}

/// A vector that a tensor takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// The old vector.
    pub scale: ScaleId,
    /// For each of the tensor's columns, or rows, the entry of γ that multiplies it, if one does.
    pub channels: Vec<Option<usize>>,
    /// Which way it meets the tensor.
    pub side: Side,
}

/// Finds the map from `old` to `new` under which the function stays: for all values, or for those of which something is
/// known.
///
/// # Errors
/// The first difference for which there is none.
pub fn plan(old: &CheckedModel, new: &CheckedModel, known: &Known) -> Result<Plan, Difference> {
    let [ours, theirs] = [old, new].map(|checked| checked.model().document_end);
    if ours != theirs {
        return Err(Difference::Documents { ours, theirs });
    }
    let found =
        correspondence::correspondence_of(old, new.model(), known).map_err(|mismatch| mismatch.difference)?;
    let step = |tensor: Instance| {
        let how = how(old, &found, tensor)?;
        let memory = memory::memory((old.model(), new.model()), &found, tensor, &how);
        Some(Step { tensor, how, memory })
    };
    let steps = new.model().instances().into_iter().filter_map(step).collect();
    Ok(Plan { folded: found.folded, steps })
}

/// A correspondence says where every tensor comes from.
fn how(old: &CheckedModel, found: &Correspondence, tensor: Instance) -> Option<How> {
    Some(match *found.tensors.get(&tensor)? {
        Source::Identity { form, index } => How::Identity { form, index },
        Source::Gamma { scale, layer, form, index } => How::Gamma { scale, layer, form, index },
        Source::Tensor(own) => match factors(old, found, own) {
            factors if factors.is_empty() => How::Copy(own),
            factors => How::Multiplied(own, factors),
        },
    })
}

/// The folded vectors that `own` takes.
fn factors(old: &CheckedModel, found: &Correspondence, own: Instance) -> Vec<Factor> {
    let kind = old.model().params.get(own.param.0).map(|param| param.kind);
    let mut factors = Vec::new();
    for facts in old.facts().iter().filter(|facts| found.folded.contains(&facts.scale)) {
        let (folds, side) = match &facts.absorption {
            Absorption::IntoColumns(folds) => (folds, Side::Columns),
            Absorption::IntoRows(folds) => (folds, Side::Rows),
            Absorption::None(_) => continue,
        };
        for fold in folds.iter().filter(|fold| fold.weight == own.param) {
            let side = kind.map_or(side, |kind| fold::side_of(kind, side));
            factors.push(Factor { scale: facts.scale, channels: fold.channels.clone(), side });
        }
    }
    factors
}

impl How {
    /// The old tensor that it is made of; vectors aside.
    pub fn source(&self) -> Option<Instance> {
        match self {
            Self::Copy(own) | Self::Multiplied(own, _) => Some(*own),
            Self::Gamma { .. } | Self::Identity { .. } => None,
        }
    }
}

/// The value of a step's tensor. Of `values`, those of the old model, the step's source and all vectors' parameters are read.
/// `None` if one is missing, or γ has no such parameters, which a plan for known values rules out.
pub fn value(old: &Model, new: &Model, step: &Step, values: &Values) -> Option<Tensor> {
    match &step.how {
        How::Copy(own) => values.get(own).cloned(),
        How::Multiplied(own, factors) => {
            let mut value = values.get(own)?.clone();
            for factor in factors {
                let num_vectors = old.scales.get(factor.scale.0).map_or(1, |scale| scale.num_vectors);
                let factors = entries(old, factor, own.layer, values);
                fold::multiply(&mut value, &factors, factor.side, num_vectors);
            }
            Some(value)
        }
        &How::Gamma { scale, layer, form, index } => {
            correspondence::value(old, new, values, step.tensor, Source::Gamma { scale, layer, form, index })
        }
        &How::Identity { form, index } => {
            correspondence::value(old, new, values, step.tensor, Source::Identity { form, index })
        }
    }
}

/// The number that multiplies each row or column.
fn entries(old: &Model, factor: &Factor, layer: Option<usize>, values: &Values) -> Vec<f64> {
    let gamma = scale::gamma(old, factor.scale, layer, values);
    let of = |entry: usize| gamma.data.get(entry).copied().unwrap_or(f64::NAN);
    factor.channels.iter().map(|entry| entry.map_or(1.0, of)).collect()
}

/// The parameters of the old model's vectors, which every plan reads.
pub fn vectors(old: &Model) -> impl Iterator<Item = Instance> {
    let is_vector =
        |instance: &Instance| old.params.get(instance.param.0).is_some_and(|p| p.kind == ParamKind::Scale);
    old.instances().into_iter().filter(is_vector)
}

/// The sizes of a tensor of `model`.
pub fn sizes(model: &Model, tensor: Instance) -> Vec<usize> {
    model.params.get(tensor.param.0).map(|param| dim::sizes(&param.dims)).unwrap_or_default()
}
