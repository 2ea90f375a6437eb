//! Which layers keep their input alone.

use crate::{Model, Region};

/// Whether the backward pass computes the layer at `depth` again: one of those that `recompute` counts, unless it leaves the
/// losses something, which a second pass would leave once more.
pub fn is_recomputed(model: &Model, depth: usize) -> bool {
    let region = model.stack.get(depth).and_then(|id| model.regions.get(id.0));
    depth < model.train.recompute && region.is_some_and(|region| !region.leaves_more())
}

/// The first layer that `recompute` counts and that keeps everything nevertheless.
pub(crate) fn kept_layer(model: &Model) -> Option<&Region> {
    let counted = model.stack.iter().take(model.train.recompute);
    counted.filter_map(|id| model.regions.get(id.0)).find(|region| region.leaves_more())
}
