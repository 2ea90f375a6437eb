//! The cost of each part of each region.

use super::{memory, repeats};
use crate::op::{Cost, Projection};
use crate::{Dim, Model, Node, ParamId, Region, RegionId, dim};
use serde::Serialize;

/// What one part costs, in all layers that have it together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartCost {
    /// The region's name.
    pub region: String,
    /// How often the region occurs.
    pub repeats: u64,
    /// The part, such as `attn.q`; empty for residual arithmetic and what a region is given.
    pub part: String,
    /// Entries of its tensors.
    pub num_params: u64,
    /// Operations per token, forward.
    pub forward_flops: f64,
    /// Those of matrix products.
    pub forward_matmul_flops: f64,
    /// Values per token that autograd keeps.
    pub kept_values: f64,
}

/// Region by region, part by part in the order of the graph.
pub(super) fn parts(model: &Model) -> Vec<PartCost> {
    (0..model.regions.len()).map(RegionId).flat_map(|region| of_region(model, region)).collect()
}

fn of_region(model: &Model, id: RegionId) -> Vec<PartCost> {
    let Some(region) = model.regions.get(id.0) else { return Vec::new() };
    let repeats = repeats(model, id);
    let times = repeats as f64;
    let mut parts: Vec<PartCost> = Vec::new();
    let kept = memory::kept(region);
    for (index, node) in region.nodes.iter().enumerate() {
        let cost = node_cost(model, region, node);
        let keeps = if kept.contains(&index) { dim::num_elements(&node.dims) as f64 } else { 0.0 };
        for (part, share) in shares(model, node) {
            add(
                &mut parts,
                PartCost {
                    part,
                    forward_flops: share * times * cost.flops,
                    forward_matmul_flops: share * times * cost.matmul_flops,
                    kept_values: share * times * (cost.saved + keeps),
                    ..PartCost::of(region, repeats)
                },
            );
        }
    }
    for (index, param) in model.params.iter().enumerate().filter(|(_, param)| param.region == id) {
        let num_params = (repeats * dim::num_elements(&param.dims)) as u64;
        let part = owner(model, ParamId(index)).to_owned();
        add(&mut parts, PartCost { part, num_params, ..PartCost::of(region, repeats) });
    }
    parts
}

/// The parts that bear a node's cost, and how much of it: the maps of a fused product by their outputs.
fn shares(model: &Model, node: &Node) -> Vec<(String, f64)> {
    let projections = node.op.as_linear().map_or(&[][..], |linear| linear.projections.as_slice());
    if projections.len() < 2 {
        return vec![(node.part.clone(), 1.0)];
    }
    let num_out = dim::num_elements(&node.dims) as f64;
    let share = |projection: &Projection| {
        let part = owner(model, projection.weight).to_owned();
        (part, dim::num_elements(&projection.out) as f64 / num_out)
    };
    projections.iter().map(share).collect()
}

/// The part that a parameter belongs to: `attn.q` of `attn.q.weight` and of `attn.q.in_scale.direction`.
fn owner(model: &Model, id: ParamId) -> &str {
    let vector = model.scales.iter().find(|scale| scale.params.contains(&id));
    let path = vector.map(|vector| &vector.path).or_else(|| model.params.get(id.0).map(|param| &param.path));
    path.and_then(|path| path.rsplit_once('.')).map_or("", |(owner, _)| owner)
}

impl PartCost {
    /// No cost yet.
    fn of(region: &Region, repeats: usize) -> Self {
        Self {
            region: region.name.clone(),
            repeats: repeats as u64,
            part: String::new(),
            num_params: 0,
            forward_flops: 0.0,
            forward_matmul_flops: 0.0,
            kept_values: 0.0,
        }
    }
}

/// Adds `cost` to the entry of its part, which is made if it is not there.
fn add(parts: &mut Vec<PartCost>, cost: PartCost) {
    match parts.iter_mut().find(|part| part.part == cost.part) {
        Some(sum) => {
            sum.num_params += cost.num_params;
            sum.forward_flops += cost.forward_flops;
            sum.forward_matmul_flops += cost.forward_matmul_flops;
            sum.kept_values += cost.kept_values;
        }
        None => parts.push(cost),
    }
}

/// The cost of one node, per token.
pub(super) fn node_cost(model: &Model, region: &Region, node: &Node) -> Cost {
    let inputs: Vec<&[Dim]> = node
        .inputs
        .iter()
        .map(|input| region.nodes.get(input.0).map_or(&[][..], |input| input.dims.as_slice()))
        .collect();
    node.op.operation().cost(model, &inputs, &node.dims)
}
