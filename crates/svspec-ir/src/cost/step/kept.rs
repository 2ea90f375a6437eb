//! What a node keeps for its derivative, and what its operators take besides while they run: LibTorch's, on the CPU.

use super::values::{BF16, F32, Value, of};
use crate::cost::parts::node_cost;
use crate::op::Linear;
use crate::{Model, Node, Op, Precision, Region, RegionId, dim};
use std::collections::BTreeSet;

/// Of one node, for so many tokens; bytes.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The roots of values that the derivative reads.
    pub roots: BTreeSet<usize>,
    /// What it keeps besides: statistics, inner results, casts of its inputs.
    pub own: u128,
    /// Copies of weights that it keeps.
    pub weight_copies: u128,
    /// Copies of weights that last as long as the region's forward pass.
    pub passing_copies: u128,
    /// Taken while its forward pass runs.
    pub forward: u128,
    /// Taken while its backward pass runs, gradients of its inputs aside.
    pub backward: u128,
}

/// What `node`, the one at `index`, keeps and takes of `tokens` tokens.
pub fn kept(
    model: &Model,
    (id, region): (RegionId, &Region),
    index: usize,
    node: &Node,
    values: &[Value],
    tokens: u128,
) -> Kept {
    let op = node.op.operation();
    let result = values.get(index).copied();
    let casts = result.is_some_and(|result| result.width == BF16);
    let multiplies = matches!(node.op, Op::Linear(_) | Op::ExpertLinear(_) | Op::Attention(_));
    let saved = F32 * node_cost(model, id, region, node).saved.max(0.0) as u128;
    let mut kept = Kept { own: tokens * saved, ..Kept::default() };
    for (_, &input) in node.inputs.iter().enumerate().filter(|(place, _)| op.keeps_input(*place)) {
        let Some(value) = of(values, input) else { continue };
        if multiplies && casts && value.has_gradient && value.width > BF16 {
            // What is multiplied in bf16 is a copy, and the copy is what is kept.
            kept.own += tokens * BF16 * value.entries;
        } else {
            kept.roots.insert(value.root);
        }
    }
    if op.keeps_output() {
        kept.roots.extend(result.map(|result| result.root));
    }
    working(model, node, values, result, tokens, &mut kept);
    kept
}

fn working(
    model: &Model,
    node: &Node,
    values: &[Value],
    result: Option<Value>,
    tokens: u128,
    kept: &mut Kept,
) {
    let input = node.inputs.first().and_then(|&input| of(values, input));
    let in_entries = tokens * input.map_or(0, |input| input.entries);
    let in_bytes = tokens * input.map_or(0, |input| input.bytes());
    let out_bytes = tokens * result.map_or(0, |result| result.bytes());
    let is_narrow = input.is_some_and(|input| input.width == BF16);
    let widened = if is_narrow { F32 * in_entries } else { 0 };
    match &node.op {
        Op::Input(_)
        | Op::Embed(_)
        | Op::Bias(_)
        | Op::View(_)
        | Op::Slice(_)
        | Op::Concat(_)
        | Op::Delay(_)
        | Op::Mul(_)
        | Op::Add(_)
        | Op::Gain(_)
        | Op::Choose(_)
        | Op::Activation(_)
        | Op::Balance(_)
        | Op::ZLoss(_)
        | Op::Clamp(_) => {}
        Op::Positions(_) => kept.backward = F32 * (model.context as u128) * (out_bytes / tokens.max(1) / F32),
        // One sequence's, seen by all.
        Op::Sinusoids(_) => kept.forward = F32 * (model.context as u128) * (out_bytes / tokens.max(1) / F32),
        Op::Normalize(_) => {
            kept.forward = widened;
            kept.backward = widened;
        }
        // The product with the gradient before it is summed over tokens.
        Op::Scale(_) => kept.backward = out_bytes,
        Op::Linear(linear) => of_weights(model, linear, kept),
        // Both sides of each pair, turned: four products and their two sums; backward one gradient for each side.
        Op::Rope(_) => {
            kept.forward = 3 * F32 * in_entries;
            kept.backward = 2 * F32 * in_entries;
        }
        Op::Attention(attention) => {
            let heads = node.dims.first().map_or(0, |heads| heads.size) as u128;
            let (context, scores) = (model.context as u128, F32 * tokens * heads * model.context as u128);
            let square = context * context;
            if attention.soft_cap.is_some() || attention.sinks.is_some() {
                kept.forward = 4 * scores;
                kept.backward = 3 * scores;
            } else if attention.alibi.is_some() {
                // The mask of each head, made in f64.
                kept.own += F32 * heads * square;
                kept.forward = 2 * 2 * F32 * heads * square;
            } else if attention.window.is_some() {
                // The mask, as truth values and as numbers.
                kept.own += F32 * square;
                kept.forward = square;
            }
        }
        // Quotient and product about the tanh; the rows of each token's experts and their products with the weights.
        Op::SoftCap(_) | Op::Combine(_) => {
            kept.forward = in_bytes;
            kept.backward = 2 * in_bytes;
        }
        // The vector of each row's expert; forward they are gone when the sum is made, a factor is kept.
        Op::ExpertBias(_) => kept.forward = out_bytes,
        Op::ExpertScale(_) => {
            kept.own += out_bytes;
            kept.backward = out_bytes;
        }
        Op::Route(_) => kept.forward = in_bytes,
        // The copies before they are sorted by expert.
        Op::Dispatch(_) => {
            kept.forward = out_bytes;
            kept.backward = out_bytes;
        }
        Op::ExpertLinear(linear) => {
            let weight = model.params.get(linear.weight.0);
            let entries = weight.map_or(0, |weight| dim::num_elements(&weight.dims)) as u128;
            kept.forward = out_bytes;
            kept.backward = in_bytes + F32 * entries;
            if model.train.precision == Precision::Bf16 {
                kept.weight_copies = BF16 * entries;
            }
        }
        // The gradient is made in the place of the log-probabilities, and counted where it is handed on; a narrow one is its copy.
        Op::CrossEntropy(_) => {
            kept.own = 0;
            kept.forward = F32 * in_entries + widened;
            kept.backward = widened;
        }
    }
}

/// A product of scaled or stacked weights makes copies of them, one after the other; in bf16 the last is cast.
fn of_weights(model: &Model, linear: &Linear, kept: &mut Kept) {
    let entries = |weight: crate::ParamId| {
        model.params.get(weight.0).map_or(0, |weight| dim::num_elements(&weight.dims)) as u128
    };
    let all: u128 = linear.projections.iter().map(|projection| entries(projection.weight)).sum();
    let scaled: u128 = linear
        .projections
        .iter()
        .map(|projection| {
            let vectors = [projection.column_scale, projection.row_scale];
            entries(projection.weight) * vectors.into_iter().flatten().count() as u128
        })
        .sum();
    let stacked = if linear.projections.len() > 1 { all } else { 0 };
    let copies = F32 * (scaled + stacked);
    // The gradients of the copies, and of the vectors before they are summed.
    kept.backward = copies + F32 * scaled;
    match model.train.precision {
        Precision::F32 => kept.weight_copies = copies,
        // Weights are bf16 already, and so are stacks of them.
        Precision::Bf16Stochastic => kept.weight_copies = copies / F32 * BF16,
        Precision::Bf16 => {
            let last = if copies > 0 { F32 * all } else { 0 };
            kept.weight_copies = BF16 * all + copies - last;
            kept.passing_copies = last;
            kept.backward += BF16 * all;
        }
    }
}
