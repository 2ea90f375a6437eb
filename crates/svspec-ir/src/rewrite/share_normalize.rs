//! `share_normalize`: a normalisation of the same value over the same axes with the same eps is computed once.

use super::region::{redirect, sweep};
use crate::{Model, Op, RegionId, ValueId};

/// Lets later equal normalisations be the first.
pub(super) fn apply(model: &mut Model, region: RegionId) -> Vec<String> {
    let Some(region) = model.regions.get_mut(region.0) else { return Vec::new() };
    let mut lines = Vec::new();
    for index in 0..region.nodes.len() {
        let Some(node) = region.nodes.get(index).filter(|node| matches!(node.op, Op::Normalize(_))) else {
            continue;
        };
        let is_same = |other: &crate::Node| {
            other.op == node.op && other.inputs == node.inputs && other.dims == node.dims
        };
        let Some(first) = region.nodes.iter().take(index).position(is_same) else { continue };
        let first_name = region.nodes.get(first).map_or("", |first| first.name.as_str());
        lines.push(format!("`{}` is `{first_name}`", node.name));
        redirect(region, ValueId(index), ValueId(first));
    }
    sweep(region);
    lines
}
