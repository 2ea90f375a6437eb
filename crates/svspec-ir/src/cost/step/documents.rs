//! The masks that keep documents apart, which the layers of a forward pass share.

use super::ledger::{Ledger, Purpose};
use super::num_tokens;
use crate::op::memory::{BF16, F32};
use crate::{Model, Op, PerLayer, Precision, Region, RegionId, RegionKind};
use std::collections::BTreeSet;

/// What is seen, and whether the mask holds truth values rather than what is added to scores.
type Key = (Option<u64>, Option<u64>, bool);

/// Takes one for each window and each chunk that there is of them; they last as long as the step.
pub fn masks(model: &Model, ledger: &mut Ledger) {
    if model.document_end.is_none() {
        return;
    }
    let width = match model.train.precision {
        Precision::F32 => F32,
        Precision::Bf16 | Precision::Bf16Stochastic => BF16,
    };
    for (_, _, is_truth) in keys(model) {
        let entries = num_tokens(model) * model.context as u128;
        if is_truth {
            ledger.take(Purpose::Activations, entries);
        } else {
            ledger.take(Purpose::Activations, width * entries);
            ledger.pass(Purpose::Working, 2 * entries);
        }
    }
}

fn keys(model: &Model) -> BTreeSet<Key> {
    let depths = model.stack.iter().enumerate().map(|(depth, id)| (Some(depth), *id));
    let is_layer = |region: &Region| region.kind == RegionKind::Layer;
    let outside = model.regions.iter().enumerate().filter(|(_, region)| !is_layer(region));
    let places = depths.chain(outside.map(|(index, _)| (None, RegionId(index))));
    let regions = places.filter_map(|(depth, id)| Some((depth, model.regions.get(id.0)?)));
    let nodes = regions.flat_map(|(depth, region)| region.nodes.iter().map(move |node| (depth, node)));
    nodes.filter_map(|(depth, node)| key(&node.op, depth)).collect()
}

fn key(op: &Op, depth: Option<usize>) -> Option<Key> {
    let Op::Attention(attention) = op else { return None };
    let at = |number: &PerLayer| number.at(depth) as u64;
    let is_truth = attention.writes_scores_out() || attention.alibi.is_some();
    Some((attention.window.as_ref().map(at), attention.chunk.as_ref().map(at), is_truth))
}
