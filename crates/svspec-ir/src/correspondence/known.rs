//! What is known of the vectors of ours when two models are compared: nothing, or their values.

use crate::eval::{Tensor, Values};
use crate::{Model, ScaleId, fold, scale};
use std::collections::BTreeMap;

/// γ of each vector of ours in each of its layers; of nothing by default, so that only what holds for all values does.
#[derive(Clone, Debug, Default)]
pub struct Known {
    gammas: BTreeMap<ScaleId, Vec<(Option<usize>, Tensor)>>,
}

/// An entry that is not positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    /// The layer; `None` outside the stack.
    pub layer: Option<usize>,
    /// Which of γ's entries, counted flat from 0.
    pub index: usize,
    /// What it is.
    pub value: f64,
}

impl Known {
    /// What `values` say, among which the parameters of every vector of `model` must be.
    pub fn of(model: &Model, values: &Values) -> Self {
        let of = |id: ScaleId| {
            let layers = fold::layers(model, id).into_iter();
            layers.map(|layer| (layer, scale::gamma(model, id, layer, values))).collect()
        };
        Self { gammas: (0..model.scales.len()).map(ScaleId).map(|id| (id, of(id))).collect() }
    }

    fn layers(&self, scale: ScaleId) -> Option<&[(Option<usize>, Tensor)]> {
        self.gammas.get(&scale).map(Vec::as_slice)
    }

    /// Whether γ is known to be positive as 32-bit numbers are.
    pub(super) fn is_positive(&self, scale: ScaleId) -> bool {
        self.layers(scale).is_some() && self.first_not_positive(scale).is_none()
    }

    /// The first entry that is known not to be.
    pub(super) fn first_not_positive(&self, scale: ScaleId) -> Option<Entry> {
        self.layers(scale)?.iter().find_map(|(layer, gamma)| {
            let index = gamma.data.iter().position(|entry| !is_positive(*entry))?;
            Some(Entry { layer: *layer, index, value: *gamma.data.get(index)? })
        })
    }

    /// Whether two vectors are known to be one and the same as 32-bit numbers, in every layer.
    pub(super) fn are_same(&self, a: ScaleId, b: ScaleId) -> bool {
        a == b || self.difference(a, b) == Some(0.0)
    }

    /// The largest difference of an entry of one from that of the other, in 32 bits; `None` if it is not known, or they
    /// have different shapes.
    pub(super) fn difference(&self, a: ScaleId, b: ScaleId) -> Option<f64> {
        let (a, b) = (self.layers(a)?, self.layers(b)?);
        let mut most = 0.0_f64;
        for ((layer, a), (other, b)) in a.iter().zip(b) {
            if layer != other || a.shape != b.shape {
                return None;
            }
            let apart = |(a, b): (&f64, &f64)| f64::from((*a as f32 - *b as f32).abs());
            most = a.data.iter().zip(&b.data).map(apart).fold(most, f64::max);
        }
        (a.len() == b.len()).then_some(most)
    }
}

/// Whether its logarithm is a 32-bit number.
fn is_positive(entry: f64) -> bool {
    entry > 0.0 && entry.ln().is_finite()
}
