//! How many tokens the head and the loss take at a time.

use super::step;
use crate::{LossChunk, Model, Node, Region, RegionKind};

/// Logits may take this share of all else that a step holds before they are computed in chunks.
const SHARE: u128 = 10;
/// Smaller chunks would leave a GPU waiting for memory: the head's gradient is read and written once for each.
const LEAST: u64 = 1024;

/// The tokens of a chunk; `None` where the loss is computed of all tokens of a micro-batch at once, as it is where the head
/// looks beyond its own token. If nothing is said, it is the largest power of two, at least 1024, whose logits take at most a
/// tenth of all else that a step holds.
pub fn loss_chunk(model: &Model) -> Option<u64> {
    let tokens = model.train.micro_batch * model.context as u64;
    if mixing_node(model).is_some() {
        return None;
    }
    let chunk = match model.train.loss_chunk {
        LossChunk::All => return None,
        LossChunk::Tokens(chunk) => chunk,
        LossChunk::Auto => {
            let fitting = step::before_the_loss(model) / SHARE / logit_bytes(model).max(1);
            let fitting = u64::try_from(fitting).unwrap_or(u64::MAX);
            if fitting >= tokens { tokens } else { largest_power(fitting).max(LEAST) }
        }
    };
    (chunk < tokens).then_some(chunk)
}

/// Of one token: logits and their gradient, f32.
fn logit_bytes(model: &Model) -> u128 {
    2 * 4 * model.vocab as u128
}

/// The largest power of two up to `count`; 1 for 0.
fn largest_power(count: u64) -> u64 {
    count.checked_ilog2().map_or(1, |exponent| 1 << exponent)
}

/// The first op of the head that looks beyond its own token.
pub(crate) fn mixing_node(model: &Model) -> Option<&Node> {
    let is_head = |region: &&Region| region.kind == RegionKind::Head;
    model
        .regions
        .iter()
        .filter(is_head)
        .flat_map(|region| &region.nodes)
        .find(|node| node.op.operation().mixes_tokens())
}
