//! Bytes at the peak of a training step.

use super::parts::node_cost;
use super::repeats;
use crate::op::{Input, Linear};
use crate::{Assignment, Model, Op, Param, Precision, Region, RegionId, RegionKind, dim};
use serde::Serialize;
use std::collections::BTreeSet;

/// Bytes, by what they hold; `u64::MAX` stands for more than fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// The master weights, f32.
    pub weights: u64,
    /// Their gradients, f32.
    pub gradients: u64,
    /// What the optimizer remembers, f32: two moments of AdamW, one momentum of Muon.
    pub optimizer: u64,
    /// Copies of weights that the step multiplies with: bf16 ones, scaled ones, fused ones.
    pub weight_copies: u64,
    /// What autograd keeps of one micro-batch, logits aside.
    pub activations: u64,
    /// The log-probabilities of one micro-batch and the logits or their gradient, f32; in bf16 the bf16 logits too.
    pub logits: u64,
    /// The sum.
    pub total: u64,
}

const F32: u128 = 4;

/// Counts in `u128`: the sizes that a spec may name are each below 2^23, but their product with a batch is not below 2^64.
pub(super) fn memory(model: &Model, assignments: &[Assignment]) -> Memory {
    let entries = |param: &Param| (repeats(model, param.region) * dim::num_elements(&param.dims)) as u128;
    let weights = F32 * model.params.iter().map(entries).sum::<u128>();
    let tokens = u128::from(model.train.micro_batch) * model.context as u128;
    let gradients = weights;
    let remembered = |assignment: &Assignment| {
        let entries =
            model.params.get(assignment.instance.param.0).map_or(0, |param| dim::num_elements(&param.dims));
        (assignment.algorithm.num_memories(&model.optimizer) * entries) as u128
    };
    let optimizer = F32 * assignments.iter().map(remembered).sum::<u128>();
    let weight_copies = weight_copies(model);
    let activations = tokens * activation_bytes(model) * kept_values(model);
    let of_logits = match model.train.precision {
        Precision::F32 => 2 * F32,
        Precision::Bf16 => 2 * F32 + 2,
    };
    let logits = tokens * of_logits * model.vocab as u128;
    let total = weights + gradients + optimizer + weight_copies + activations + logits;
    let bytes = |count: u128| u64::try_from(count).unwrap_or(u64::MAX);
    Memory {
        weights: bytes(weights),
        gradients: bytes(gradients),
        optimizer: bytes(optimizer),
        weight_copies: bytes(weight_copies),
        activations: bytes(activations),
        logits: bytes(logits),
        total: bytes(total),
    }
}

fn activation_bytes(model: &Model) -> u128 {
    match model.train.precision {
        Precision::F32 => F32,
        Precision::Bf16 => 2,
    }
}

/// The nodes of a region whose results autograd keeps: inputs and outputs that derivatives need.
pub(super) fn kept(region: &Region) -> BTreeSet<usize> {
    let mut kept = BTreeSet::new();
    for (index, node) in region.nodes.iter().enumerate() {
        let op = node.op.operation();
        if op.keeps_output() {
            kept.insert(index);
        }
        let inputs = node.inputs.iter().enumerate();
        kept.extend(inputs.filter(|(input, _)| op.keeps_input(*input)).map(|(_, value)| value.0));
    }
    let is_activation = |index: &usize| match region.nodes.get(*index).map(|node| &node.op) {
        Some(Op::Input(Input::Tokens | Input::Targets | Input::Collected(_))) | None => false,
        Some(_) => true,
    };
    kept.into_iter().filter(is_activation).collect()
}

/// Values per token that autograd keeps, the loss's aside.
fn kept_values(model: &Model) -> u128 {
    let of_region = |(index, region): (usize, &Region)| {
        let kept = kept(region).into_iter().filter_map(|index| region.nodes.get(index));
        let values: usize = kept.map(|node| dim::num_elements(&node.dims)).sum();
        let saved = |node| node_cost(model, RegionId(index), region, node).saved;
        let own: f64 = region.nodes.iter().map(saved).sum();
        repeats(model, RegionId(index)) as u128 * (values as u128 + own as u128)
    };
    let regions = model.regions.iter().enumerate();
    regions.filter(|(_, region)| region.kind != RegionKind::Loss).map(of_region).sum()
}

/// In bf16 every weight that is multiplied with has a copy; in f32 only those that are scaled or fused.
fn weight_copies(model: &Model) -> u128 {
    let bytes = activation_bytes(model);
    let is_copied = |linear: &Linear| match model.train.precision {
        Precision::Bf16 => true,
        Precision::F32 => {
            linear.projections.len() > 1
                || linear.projections.iter().any(|p| p.column_scale.is_some() || p.row_scale.is_some())
        }
    };
    let entries = |linear: &Linear| -> u128 {
        let weights =
            linear.projections.iter().filter_map(|projection| model.params.get(projection.weight.0));
        weights.map(|weight| dim::num_elements(&weight.dims) as u128).sum()
    };
    let of_region = |(index, region): (usize, &Region)| {
        let copied: u128 = region
            .nodes
            .iter()
            .filter_map(|node| node.op.as_linear())
            .filter(|linear| is_copied(linear))
            .map(entries)
            .sum();
        repeats(model, RegionId(index)) as u128 * bytes * copied
    };
    model.regions.iter().enumerate().map(of_region).sum()
}
