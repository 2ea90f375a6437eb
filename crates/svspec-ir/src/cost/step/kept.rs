//! What a node keeps for its derivative, and what its operators take besides while they run: LibTorch's, on the CPU.

use super::values::{Value, of};
use crate::cost::parts::node_cost;
use crate::op::memory::{BF16, F32};
use crate::op::{Kept, ResultKind, Work};
use crate::{Model, Node, Region, RegionId};

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
    let multiplies = op.result_kind() == ResultKind::Bf16;
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
    let input = node.inputs.first().and_then(|&input| of(values, input));
    let in_entries = tokens * input.map_or(0, |input| input.entries);
    let is_narrow = input.is_some_and(|input| input.width == BF16);
    let work = Work {
        model,
        dims: &node.dims,
        tokens,
        in_entries,
        in_bytes: tokens * input.map_or(0, |input| input.bytes()),
        out_bytes: tokens * result.map_or(0, |result| result.bytes()),
        widened: if is_narrow { F32 * in_entries } else { 0 },
    };
    op.keeps(&work, &mut kept);
    kept
}
