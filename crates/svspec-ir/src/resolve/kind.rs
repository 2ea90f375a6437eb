//! Layers as declared, and the sizes of their parts and functions at each depth, in; the kinds of layer, and which stands where, out.

use super::part::{Parts, Sizes};
use super::resolved::{Layer, LayerKind, Part};
use super::uses::parts_of;
use std::collections::{BTreeMap, BTreeSet};

/// Names of regions that are not of layers.
const TAKEN: [&str; 3] = ["embed", "head", "loss"];

/// The kinds, and for each depth the index of its kind. `stack` holds indices into `layers`. A layer that the stack has
/// not is a kind of its own.
pub fn kinds(parts: &Parts, layers: &[Layer], stack: &[usize]) -> (Vec<LayerKind>, Vec<usize>) {
    let mut taken: BTreeSet<String> = layers.iter().map(|layer| layer.name.clone()).collect();
    taken.extend(TAKEN.map(str::to_owned));
    let mut kinds = Vec::new();
    let mut kind_of = vec![0; stack.len()];
    for (index, layer) in layers.iter().enumerate() {
        let depths = stack.iter().enumerate().filter(|(_, kind)| **kind == index).map(|(depth, _)| depth);
        let groups = groups(parts, layer, depths);
        let is_one = groups.len() == 1;
        for (sizes, depths) in groups {
            let first = depths.first().copied().unwrap_or(0);
            let name = if is_one {
                layer.name.clone()
            } else {
                free(&format!("{}_{first}", layer.name), &mut taken)
            };
            for depth in depths {
                if let Some(kind) = kind_of.get_mut(depth) {
                    *kind = kinds.len();
                }
            }
            let own = sizes
                .into_iter()
                .filter_map(|(part, sizes)| Some((part, sized(parts.all.get(part)?, sizes))));
            kinds.push(LayerKind { name, layer: index, parts: own.collect() });
        }
    }
    (kinds, kind_of)
}

type PartSizes<'p> = BTreeMap<usize, &'p Sizes>;

/// The depths of one declared layer, those where its parts and its functions have the same sizes together.
fn groups<'p>(
    parts: &'p Parts,
    layer: &Layer,
    depths: impl Iterator<Item = usize>,
) -> Vec<(PartSizes<'p>, Vec<usize>)> {
    let varying: Vec<usize> =
        parts_of(layer).into_iter().filter(|part| parts.sizes.contains_key(part)).collect();
    let of_functions = |depth: usize| {
        let mut sizes = Vec::new();
        for equation in &layer.equations {
            equation.formula.sizes(depth, &mut sizes);
        }
        sizes
    };
    let mut groups: Vec<(PartSizes<'p>, Vec<usize>, Vec<usize>)> = Vec::new();
    for depth in depths {
        let of_part = |part: &usize| Some((*part, parts.sizes.get(part)?.get(&depth)?));
        let sizes: PartSizes<'p> = varying.iter().filter_map(of_part).collect();
        let numbers = of_functions(depth);
        match groups.iter_mut().find(|(known, others, _)| *known == sizes && *others == numbers) {
            Some((_, _, depths)) => depths.push(depth),
            None => groups.push((sizes, numbers, vec![depth])),
        }
    }
    if groups.is_empty() {
        groups.push((BTreeMap::new(), Vec::new(), Vec::new()));
    }
    groups.into_iter().map(|(sizes, _, depths)| (sizes, depths)).collect()
}

/// The part with other sizes.
fn sized(part: &Part, sizes: &Sizes) -> Part {
    let mut part = part.clone();
    part.settings.extend(sizes.iter().map(|(name, setting)| (*name, setting.clone())));
    part
}

fn free(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = wanted.to_owned();
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}
