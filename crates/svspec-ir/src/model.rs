//! A lowered model: regions, parameters, scale vectors, and what the file says of its training.

use crate::{Foreign, Instance, Optimizer, Param, Region, RegionId, ScaleVector, SideLoss, Train};
use serde::Serialize;

/// Everything a spec says of one model or variant, resolved and lowered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Model {
    /// The model's or variant's name.
    pub name: String,
    /// Its documentation comment.
    pub doc: Vec<String>,
    /// The chain from the model at the root to this variant, root first; `with` variants follow their user in
    /// parentheses in prints.
    pub lineage: Vec<String>,
    /// The number of token ids.
    pub vocab: usize,
    /// The longest sequence trained on.
    pub context: usize,
    /// The residual stream's width.
    pub width: usize,
    /// The token id that ends a document, where no token sees one of another document; else a sequence is one document.
    pub document_end: Option<usize>,
    /// Embed first, then the layer kinds, then head, then loss.
    pub regions: Vec<Region>,
    /// The layer kind at each depth.
    pub stack: Vec<RegionId>,
    /// The names of the values that leave layers beside the residual stream.
    pub side_values: Vec<String>,
    /// Templates; ids index it.
    pub params: Vec<Param>,
    /// Templates; ids index it.
    pub scales: Vec<ScaleVector>,
    /// Where the parameters lie in checkpoints of other software; empty if the spec does not say.
    pub foreign: Foreign,
    /// The optimizer's settings.
    pub optimizer: Optimizer,
    /// The training settings.
    pub train: Train,
}

impl Model {
    /// What is minimised beside the cross-entropy.
    pub fn side_losses(&self) -> &[SideLoss] {
        let loss = self.regions.iter().find(|region| region.kind == crate::RegionKind::Loss);
        loss.map_or(&[], |region| region.losses.as_slice())
    }

    /// Every tensor of the model: parameters outside the stack before it, then layer by layer, then those after it.
    pub fn instances(&self) -> Vec<Instance> {
        let of = |region: RegionId, layer: Option<usize>| {
            self.params
                .iter()
                .enumerate()
                .filter(move |(_, param)| param.region == region)
                .map(move |(index, _)| Instance { param: crate::ParamId(index), layer })
        };
        let is_layer = |region: &Region| region.kind == crate::RegionKind::Layer;
        let first_layer = self.regions.iter().position(is_layer).unwrap_or(self.regions.len());
        let before = (0..first_layer).flat_map(|region| of(RegionId(region), None));
        let layers = self.stack.iter().enumerate().flat_map(|(layer, &region)| of(region, Some(layer)));
        let after = (first_layer..self.regions.len())
            .filter(|&region| self.regions.get(region).is_some_and(|region| !is_layer(region)))
            .flat_map(|region| of(RegionId(region), None));
        before.chain(layers).chain(after).collect()
    }

    /// The tensor that template `param` stands for in layer `layer`; outside the stack there is one only.
    pub fn instance(&self, param: crate::ParamId, layer: Option<usize>) -> Instance {
        let region = self.params.get(param.0).and_then(|param| self.regions.get(param.region.0));
        let repeats = region.is_some_and(|region| region.kind == crate::RegionKind::Layer);
        Instance { param, layer: layer.filter(|_| repeats) }
    }

    /// The name in checkpoints: `layers.3.attn.q.weight`, `embed.weight`.
    pub fn instance_name(&self, instance: Instance) -> String {
        let path = self.params.get(instance.param.0).map_or("", |param| param.path.as_str());
        match instance.layer {
            Some(layer) => format!("layers.{layer}.{path}"),
            None => path.to_owned(),
        }
    }
}
