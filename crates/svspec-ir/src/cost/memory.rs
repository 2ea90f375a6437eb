//! Bytes at the peak of a training step.

use super::step;
use crate::op::Input;
use crate::{Assignment, Model, Op, Region};
use serde::Serialize;
use std::collections::BTreeSet;

/// Bytes, by what they hold at the moment of a step when it is most; `u64::MAX` stands for more than fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// The master weights, f32.
    pub weights: u64,
    /// Gradients that are there, f32: of the micro-batches before, and of the part of the model whose turn has come.
    pub gradients: u64,
    /// What the optimizer remembers, f32: two moments of AdamW, one momentum of Muon.
    pub optimizer: u64,
    /// Copies of weights that the step multiplies with: bf16 ones, scaled ones, fused ones.
    pub weight_copies: u64,
    /// What is kept for the backward pass.
    pub activations: u64,
    /// Logits, what the loss makes of them, and their gradients.
    pub logits: u64,
    /// Results on their way, and what operators take besides.
    pub working: u64,
    /// The sum.
    pub total: u64,
}

/// Counts in `u128`: the sizes that a spec may name are each below 2^23, but their product with a batch is not below 2^64.
pub(super) fn memory(model: &Model, assignments: &[Assignment]) -> Memory {
    let held = step::most(model, assignments);
    let bytes = |count: u128| u64::try_from(count).unwrap_or(u64::MAX);
    Memory {
        weights: bytes(held.weights),
        gradients: bytes(held.gradients),
        optimizer: bytes(held.optimizer),
        weight_copies: bytes(held.weight_copies),
        activations: bytes(held.activations),
        logits: bytes(held.logits),
        working: bytes(held.working),
        total: bytes(held.total()),
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
