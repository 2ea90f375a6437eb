//! The values of a region as generated code holds them: how large each is, and which share storage.

use crate::op::memory::{BF16, F32};
use crate::op::{Input, ResultKind};
use crate::{Model, Op, Precision, Region, RegionKind, ValueId, dim};
use std::collections::BTreeSet;

/// Bytes of an entry of a weight, of its gradient, and of what the optimizer remembers of it.
pub fn weight_width(model: &Model) -> u128 {
    match model.train.precision {
        Precision::F32 | Precision::Bf16 => F32,
        Precision::Bf16Stochastic => BF16,
    }
}

/// One node's result.
#[derive(Clone, Copy, Debug)]
pub struct Value {
    /// Whether the output depends on it.
    pub is_live: bool,
    /// Whether a gradient flows to it.
    pub has_gradient: bool,
    /// The node whose storage it is a view of, or its own.
    pub root: usize,
    /// Bytes per entry.
    pub width: u128,
    /// Entries per token.
    pub entries: u128,
}

impl Value {
    /// Bytes per token.
    pub fn bytes(&self) -> u128 {
        self.width * self.entries
    }
}

/// The values of `region`, in the order of its nodes.
pub fn values(model: &Model, region: &Region) -> Vec<Value> {
    let live = live(region);
    let mut values: Vec<Value> = Vec::new();
    for (index, node) in region.nodes.iter().enumerate() {
        let inputs: Vec<Value> = node.inputs.iter().filter_map(|&input| of(&values, input)).collect();
        let is_view = matches!(node.op, Op::View(_) | Op::Slice(_));
        let root = inputs.first().filter(|_| is_view).map_or(index, |source| source.root);
        values.push(Value {
            is_live: live.contains(&index),
            has_gradient: !matches!(
                node.op,
                Op::Input(Input::Tokens | Input::Targets) | Op::Sinusoids(_) | Op::Choose(_)
            ),
            root,
            width: width(model, region, ValueId(index), &inputs),
            entries: dim::num_elements(&node.dims) as u128,
        });
    }
    values
}

/// The value of a node.
pub fn of(values: &[Value], id: ValueId) -> Option<Value> {
    values.get(id.0).copied()
}

fn live(region: &Region) -> BTreeSet<usize> {
    let mut live: BTreeSet<usize> = region.results().map(|result| result.0).collect();
    for (index, node) in region.nodes.iter().enumerate().rev() {
        if live.contains(&index) {
            live.extend(node.inputs.iter().map(|input| input.0));
        }
    }
    live
}

/// Bytes of an entry of a result: under autocast products come out in bf16, and what meets an f32 vector in f32.
fn width(model: &Model, region: &Region, id: ValueId, inputs: &[Value]) -> u128 {
    let Some(op) = region.nodes.get(id.0).map(|node| &node.op) else { return F32 };
    let widest = inputs.iter().map(|input| input.width).max().unwrap_or(F32);
    let first = inputs.first().map_or(F32, |input| input.width);
    match model.train.precision {
        Precision::F32 => F32,
        Precision::Bf16 | Precision::Bf16Stochastic => {
            if region.kind == RegionKind::Loss && matches!(op, Op::Input(Input::Carried)) {
                return logits_width(model);
            }
            match op.operation().result_kind() {
                ResultKind::Input => first,
                ResultKind::WidestInput => widest,
                ResultKind::Weights => weight_width(model),
                // What a bf16 vector meets stays what it is.
                ResultKind::InputOrWeights => first.max(weight_width(model)),
                ResultKind::Bf16 => BF16,
                ResultKind::Bf16ForProducts if region.is_for_products(id) => BF16,
                ResultKind::Bf16ForProducts | ResultKind::F32 => F32,
            }
        }
    }
}

/// Bytes of an entry of what the head hands to the loss.
fn logits_width(model: &Model) -> u128 {
    let head = model.regions.iter().find(|region| region.kind == RegionKind::Head);
    let of_head = head.and_then(|head| of(&values(model, head), head.output));
    of_head.map_or(F32, |logits| logits.width)
}
