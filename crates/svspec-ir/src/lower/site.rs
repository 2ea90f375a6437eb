//! Regions in; which vectors after a linear map scale queries or keys, out: those that attention reads them through,
//! whatever parts they were written in.

use crate::{Op, Region, ScaleVector, Site, ValueId};

/// Gives the vectors after maps of queries and keys their site.
pub fn of_queries_and_keys(regions: &[Region], scales: &mut [ScaleVector]) {
    for region in regions {
        let attentions = region.nodes.iter().filter(|node| matches!(node.op, Op::Attention(_)));
        let read = attentions.flat_map(|node| node.inputs.iter().take(2));
        for &value in read {
            mark(region, value, scales);
        }
    }
}

/// Follows a value back to the linear maps that made it.
fn mark(region: &Region, value: ValueId, scales: &mut [ScaleVector]) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        let Some(node) = region.nodes.get(value.0) else { continue };
        if let Op::Scale(scale) = &node.op
            && let Some(vector) = scales.get_mut(scale.scale.0)
            && vector.site == Site::LinearOutput
        {
            vector.site = Site::QkHead;
        }
        let is_dressed = node.op.operation().is_step() && !matches!(node.op, Op::Activation(_));
        if is_dressed || matches!(node.op, Op::Concat(_)) {
            open.extend(&node.inputs);
        }
    }
}
