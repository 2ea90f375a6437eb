//! The cost of each part of each region.

use super::{memory, repeats};
use crate::op::{Attention, Cost, Operation, Projection};
use crate::print::paths;
use crate::{Dim, Model, Node, Op, ParamId, PerLayer, Region, RegionId, dim};
use serde::Serialize;

/// What one part costs, in all layers that have it together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartCost {
    /// The name of the region, or of the layers' family.
    pub region: String,
    /// How often it occurs.
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
    let mut all: Vec<PartCost> = Vec::new();
    for cost in (0..model.regions.len()).map(RegionId).flat_map(|region| of_region(model, region)) {
        match all.iter_mut().find(|known| known.region == cost.region && known.part == cost.part) {
            Some(known) => {
                known.repeats += cost.repeats;
                known.add(&cost);
            }
            None => all.push(cost),
        }
    }
    all
}

fn of_region(model: &Model, id: RegionId) -> Vec<PartCost> {
    let Some(region) = model.regions.get(id.0) else { return Vec::new() };
    let repeats = repeats(model, id);
    let times = repeats as f64;
    let mut parts: Vec<PartCost> = Vec::new();
    let kept = memory::kept(region);
    for (index, node) in region.nodes.iter().enumerate() {
        let cost = node_cost(model, id, region, node);
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
    /// Counts another's tensors and operations too.
    fn add(&mut self, other: &Self) {
        self.num_params += other.num_params;
        self.forward_flops += other.forward_flops;
        self.forward_matmul_flops += other.forward_matmul_flops;
        self.kept_values += other.kept_values;
    }

    /// No cost yet.
    fn of(region: &Region, repeats: usize) -> Self {
        Self {
            region: region.family.clone(),
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
        Some(sum) => sum.add(&cost),
        None => parts.push(cost),
    }
}

/// The cost of one node, per token; where its layers differ, the mean of theirs.
pub(super) fn node_cost(model: &Model, id: RegionId, region: &Region, node: &Node) -> Cost {
    let inputs: Vec<&[Dim]> = node
        .inputs
        .iter()
        .map(|input| region.nodes.get(input.0).map_or(&[][..], |input| input.dims.as_slice()))
        .collect();
    let layers = paths::layers_of(model, id);
    let windows = if let Op::Attention(attention) = &node.op {
        attention
            .window
            .as_ref()
            .filter(|window| window.uniform().is_none())
            .map(|window| (attention, window))
    } else {
        None
    };
    let (Some((attention, windows)), [_, ..]) = (windows, layers.as_slice()) else {
        return node.op.operation().cost(model, &inputs, &node.dims);
    };
    let of_layer = |layer: &usize| {
        let window = Some(PerLayer::Uniform(windows.at(Some(*layer))));
        Attention { window, ..attention.clone() }.cost(model, &inputs, &node.dims)
    };
    let sum = layers.iter().map(of_layer).fold(Cost::default(), |sum, cost| Cost {
        flops: sum.flops + cost.flops,
        matmul_flops: sum.matmul_flops + cost.matmul_flops,
        saved: sum.saved + cost.saved,
        traffic: sum.traffic + cost.traffic,
    });
    let num_layers = layers.len() as f64;
    Cost {
        flops: sum.flops / num_layers,
        matmul_flops: sum.matmul_flops / num_layers,
        saved: sum.saved / num_layers,
        traffic: sum.traffic / num_layers,
    }
}
