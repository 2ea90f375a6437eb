//! What an optimizer remembers of a tensor, when the tensor is carried over. The moments are averages of the gradient and of
//! its square, and the gradient of a rescaled tensor follows from the chain rule: for `W' = W ⊙ γ`, `dW' = dW / γ`.

use super::{Factor, How, entries};
use crate::correspondence::{Correspondence, Source};
use crate::eval::{Tensor, Values};
use crate::fold;
use crate::{Instance, Model, ParamKind, ScaleForm, ScaleId, dim};

/// What becomes of the optimizer's memory of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memory {
    /// It goes on: the gradient is that of this old tensor.
    Kept(Instance),
    /// It goes on, divided by what multiplies the tensor: the gradient is so much smaller.
    Rescaled(Instance, Vec<Factor>),
    /// It begins again, and says why.
    Restarts(&'static str),
    /// There was none.
    New,
    /// There is none: no gradient moves it.
    NotTrained,
}

/// Which average.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Of the gradient.
    First,
    /// Of its square.
    Second,
}

pub(super) fn memory(
    (old, new): (&Model, &Model),
    found: &Correspondence,
    tensor: Instance,
    how: &How,
) -> Memory {
    if new.params.get(tensor.param.0).is_some_and(|param| param.kind == ParamKind::Correction) {
        return Memory::NotTrained;
    }
    let place = vector_of(new, tensor);
    if place.is_some_and(|place| found.merged.contains(&place)) {
        return Memory::Restarts("several vectors became one, whose gradient is the sum of theirs");
    }
    let source = found.tensors.get(&tensor).copied();
    let origin = source.and_then(|source| origin(old, source));
    let is_first = |tensor: Instance| {
        let vector = vector_of(new, tensor).and_then(|place| new.scales.get(place.0));
        vector.is_none_or(|vector| vector.params.first() == Some(&tensor.param))
    };
    let heirs = found.tensors.iter().filter(|(heir, source)| {
        is_first(**heir) && origin.is_some() && self::origin(old, **source) == origin
    });
    if heirs.count() > 1 {
        return Memory::Restarts("one tensor became several, and its gradient was the sum of theirs");
    }
    match how {
        How::Copy(own) => Memory::Kept(*own),
        How::Multiplied(own, factors) => Memory::Rescaled(*own, factors.clone()),
        How::Gamma { scale, layer, form, .. } => {
            let vector = old.scales.get(scale.0).filter(|vector| {
                let place = place.and_then(|place| new.scales.get(place.0));
                let has_same_entries =
                    place.is_some_and(|place| dim::sizes(&place.dims) == dim::sizes(&vector.dims));
                has_same_entries && is_shifted(vector.form) && is_shifted(*form)
            });
            match vector.and_then(|vector| vector.params.first()) {
                Some(&param) => Memory::Kept(old.instance(param, *layer)),
                None => Memory::Restarts("γ is kept in another form, whose gradients are others"),
            }
        }
        How::Identity { .. } => Memory::New,
    }
}

/// The vector that a tensor is a parameter of.
fn vector_of(model: &Model, tensor: Instance) -> Option<ScaleId> {
    model.scales.iter().position(|vector| vector.params.contains(&tensor.param)).map(ScaleId)
}

/// The old tensor that stands for where a value comes from: of a vector, its first parameter.
fn origin(old: &Model, source: Source) -> Option<Instance> {
    let first_of = |scale: ScaleId, layer: Option<usize>| {
        let first = old.scales.get(scale.0)?.params.first()?;
        Some(old.instance(*first, layer))
    };
    match source {
        Source::Identity { .. } => None,
        Source::Gamma { scale, layer, .. } => first_of(scale, layer),
        Source::Tensor(own) => match vector_of(old, own) {
            Some(scale) => first_of(scale, own.layer),
            None => Some(own),
        },
    }
}

/// Whether the parameter is γ up to a constant, so that their gradients are the same.
fn is_shifted(form: ScaleForm) -> bool {
    match form {
        ScaleForm::Direct | ScaleForm::OnePlus => true,
        ScaleForm::MagnitudeDirection | ScaleForm::ExpMagnitudeDirection | ScaleForm::Softplus => false,
    }
}

impl Memory {
    /// The old tensor whose memory goes on.
    pub fn source(&self) -> Option<Instance> {
        match self {
            Self::Kept(own) | Self::Rescaled(own, _) => Some(*own),
            Self::Restarts(_) | Self::New | Self::NotTrained => None,
        }
    }

    /// A moment of the new tensor from that of [`Memory::source`]; `values` as for the plan's values. `None` if it does not
    /// go on: where γ is 0, nothing is known of the gradient.
    pub fn moment(&self, old: &Model, which: Moment, moment: &Tensor, values: &Values) -> Option<Tensor> {
        match self {
            Self::Kept(_) => Some(moment.clone()),
            Self::Rescaled(own, factors) => {
                let mut moment = moment.clone();
                for factor in factors {
                    let gamma = entries(old, factor, own.layer, values);
                    let inverse = gamma.iter().map(|gamma| match which {
                        Moment::First => 1.0 / gamma,
                        Moment::Second => 1.0 / (gamma * gamma),
                    });
                    let num_vectors = old.scales.get(factor.scale.0).map_or(1, |scale| scale.num_vectors);
                    fold::multiply(&mut moment, &inverse.collect::<Vec<f64>>(), factor.side, num_vectors);
                }
                moment.data.iter().all(|entry| (*entry as f32).is_finite()).then_some(moment)
            }
            Self::Restarts(_) | Self::New | Self::NotTrained => None,
        }
    }
}
