//! A fit and a checkpoint in; the entries of each tensor as transformers stores it out, folded where that is needed.

use super::Fit;
use crate::checkpoint::Checkpoint;
use anyhow::Context as _;
use std::collections::BTreeSet;
use svspec_ir::correspondence::{self, Source};
use svspec_ir::eval::{Tensor, Values};
use svspec_ir::foreign::{ForeignInstance, Piece};
use svspec_ir::{Absorption, CheckedModel, Instance, Model, ParamId, dim};

/// The tensors of a checkpoint, on their way to transformers. What vectors touch is held for one layer at a time; all else
/// is copied as it lies.
pub struct Tensors<'a> {
    ours: &'a CheckedModel,
    fit: &'a Fit,
    checkpoint: &'a Checkpoint,
    /// The parameters of vectors, and what these fold into.
    touched: BTreeSet<ParamId>,
    /// The layer that is held, and the values of what is touched there, folded.
    held: Option<(Option<usize>, Values)>,
}

impl<'a> Tensors<'a> {
    /// None is read yet.
    pub fn new(ours: &'a CheckedModel, fit: &'a Fit, checkpoint: &'a Checkpoint) -> Self {
        let mut touched: BTreeSet<ParamId> =
            ours.model().scales.iter().flat_map(|scale| scale.params.iter().copied()).collect();
        for facts in ours.facts().iter().filter(|facts| fit.correspondence.folded.contains(&facts.scale)) {
            match &facts.absorption {
                Absorption::IntoColumns(folds) | Absorption::IntoRows(folds) => {
                    touched.extend(folds.iter().map(|fold| fold.weight));
                }
                Absorption::None(_) => {}
            }
        }
        Self { ours, fit, checkpoint, touched, held: None }
    }

    /// The entries of a tensor as 32-bit floats, in its own layout.
    pub fn entries(&mut self, foreign: &ForeignInstance) -> anyhow::Result<Vec<[u8; 4]>> {
        let pieces = foreign.pieces.iter().map(|&piece| self.piece(piece));
        let pieces = pieces.collect::<anyhow::Result<Vec<_>>>()?;
        let joined = foreign.join(&pieces, 0_f32.to_le_bytes());
        joined.with_context(|| format!("`{}` has not the entries that it holds", foreign.name))
    }

    /// Those of a tensor of the family's model.
    fn piece(&mut self, Piece { instance, slice }: Piece) -> anyhow::Result<Vec<[u8; 4]>> {
        let (ours, theirs) = (self.ours.model(), self.fit.family_model.model());
        let name = theirs.instance_name(instance);
        let source = self.fit.correspondence.tensors.get(&instance);
        let source = *source.with_context(|| format!("nothing corresponds to `{name}`"))?;
        if let Source::Tensor(own) = source
            && !self.touched.contains(&own.param)
        {
            let entries = self.checkpoint.entries(&ours.instance_name(own), num_entries(ours, own))?;
            return Ok(of_slice(ours, own, entries, slice));
        }
        let folded = self.folded(instance.layer)?;
        let value = correspondence::value(ours, theirs, folded, instance, source);
        let value = value.with_context(|| format!("`{name}` cannot take the value of its vector"))?;
        let entries = value.data.iter().map(|&entry| (entry as f32).to_le_bytes()).collect();
        Ok(of_slice(theirs, instance, entries, slice))
    }

    /// What is touched in `layer`, or outside the stack, folded.
    fn folded(&mut self, layer: Option<usize>) -> anyhow::Result<&Values> {
        let held = match self.held.take() {
            Some(held) if held.0 == layer => held,
            Some(_) | None => (layer, self.read(layer)?),
        };
        Ok(&self.held.insert(held).1)
    }

    fn read(&self, layer: Option<usize>) -> anyhow::Result<Values> {
        let model = self.ours.model();
        let mut values = Values::new();
        let here = |instance: &Instance| instance.layer == layer && self.touched.contains(&instance.param);
        for instance in model.instances().into_iter().filter(here) {
            let shape = model.params.get(instance.param.0).map(|param| dim::sizes(&param.dims));
            let name = model.instance_name(instance);
            let data = self.checkpoint.values(&name, num_entries(model, instance))?;
            values.insert(instance, Tensor::new(shape.unwrap_or_default(), data));
        }
        Ok(correspondence::folded(self.ours, &values, &self.fit.correspondence))
    }
}

fn num_entries(model: &Model, instance: Instance) -> usize {
    model.params.get(instance.param.0).map_or(0, |param| dim::num_elements(&param.dims))
}

/// The part of one slice, whose number is the first dimension's; or the whole.
fn of_slice(model: &Model, instance: Instance, entries: Vec<[u8; 4]>, slice: Option<usize>) -> Vec<[u8; 4]> {
    let Some(slice) = slice else { return entries };
    let first = model.params.get(instance.param.0).and_then(|param| param.dims.first());
    let num_slices = first.map_or(1, |dim| dim.size).max(1);
    let per_slice = entries.len() / num_slices;
    entries.into_iter().skip(slice * per_slice).take(per_slice).collect()
}
