//! Numbers of which a region's layers may have one each in; a single number where all its layers have the same, out.

use crate::{DefaultInit, Param, PerLayer, Region, RegionId};

/// Settles the numbers of every op and of every init.
pub fn settle(regions: &mut [Region], params: &mut [Param], stack: &[RegionId]) {
    for (index, region) in regions.iter_mut().enumerate() {
        let layers = layers_of(RegionId(index), stack);
        region
            .nodes
            .iter_mut()
            .flat_map(|node| node.op.operation_mut().per_layer_mut())
            .for_each(|value| number(value, &layers));
    }
    for param in params {
        let layers = layers_of(param.region, stack);
        match &mut param.default_init {
            DefaultInit::Normal { .. } => {}
            DefaultInit::Constant(value) => number(value, &layers),
        }
    }
}

fn layers_of(region: RegionId, stack: &[RegionId]) -> Vec<usize> {
    stack.iter().enumerate().filter(|(_, kind)| **kind == region).map(|(layer, _)| layer).collect()
}

fn number(value: &mut PerLayer, layers: &[usize]) {
    let mut numbers = layers.iter().map(|layer| value.at(Some(*layer)));
    let Some(first) = numbers.next() else { return };
    if numbers.all(|number| number.total_cmp(&first).is_eq()) {
        *value = PerLayer::Uniform(first);
    }
}
