//! `fuse_projections`: linear maps of the same value become one matrix product and slices of its result, so that the
//! value is read once and its gradient written once.

use super::region::{insert, sweep, unique_name};
use crate::op::{Linear, Projection, Slice};
use crate::{Dim, Model, Node, Op, Region, RegionId, ValueId, dim};

/// Fuses the linear maps of each value that has more than one.
pub(super) fn apply(model: &mut Model, region: RegionId) -> Vec<String> {
    let Some(region) = model.regions.get_mut(region.0) else { return Vec::new() };
    let mut lines = Vec::new();
    while let Some(maps) = first_group(region) {
        lines.extend(fuse(region, &maps));
    }
    sweep(region);
    lines
}

/// Plain linear maps that read the same value, at least two of them.
fn first_group(region: &Region) -> Option<Vec<ValueId>> {
    let maps_of = |input: ValueId| -> Vec<ValueId> {
        let nodes = region.nodes.iter().enumerate();
        nodes
            .filter(|(_, node)| node.inputs == [input] && projection(node).is_some())
            .map(|(index, _)| ValueId(index))
            .collect()
    };
    (0..region.nodes.len()).map(|input| maps_of(ValueId(input))).find(|maps| maps.len() > 1)
}

/// The weight of a linear map that is not fused yet.
fn projection(node: &Node) -> Option<&Projection> {
    match node.op.as_linear()?.projections.as_slice() {
        [projection] => Some(projection),
        _ => None,
    }
}

fn fuse(region: &mut Region, maps: &[ValueId]) -> Option<String> {
    let nodes: Vec<Node> = maps.iter().filter_map(|map| region.nodes.get(map.0)).cloned().collect();
    let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    let parts: Vec<&str> = nodes.iter().map(|node| node.part.as_str()).collect();
    let first = nodes.first()?;
    let at = *maps.first()?;
    let projections: Vec<Projection> = nodes.iter().filter_map(projection).cloned().collect();
    let num_out = projections.iter().map(|projection| dim::num_elements(&projection.out)).sum();
    let fused = Node {
        name: unique_name(region, &joined_name(&names, &parts)),
        op: Op::Linear(Linear { projections }),
        inputs: first.inputs.clone(),
        dims: vec![Dim::new("fused", num_out)],
        part: common_part(&parts),
        span: first.span,
    };
    let line = format!("`{}` in one product, `{}`", names.join("`, `"), fused.name);
    insert(region, at, fused);
    let mut start = 0;
    for map in maps {
        let node = region.nodes.get_mut(map.0 + 1)?;
        node.op = Op::Slice(Slice { start, dims: node.dims.clone() });
        node.inputs = vec![at];
        start += dim::num_elements(&node.dims);
    }
    Some(line)
}

/// `attn_q`, `attn_k`, `attn_v` give `attn_q_k_v`; names that share no first word give their parts' names.
fn joined_name(names: &[&str], parts: &[&str]) -> String {
    let prefix = names.first().and_then(|name| name.rfind('_').and_then(|end| name.get(..=end)));
    let rests: Option<Vec<&str>> =
        prefix.and_then(|prefix| names.iter().map(|name| name.strip_prefix(prefix)).collect());
    if let (Some(prefix), Some(rests)) = (prefix, rests) {
        return format!("{prefix}{}", rests.join("_"));
    }
    let mut roots: Vec<&str> = parts.iter().filter_map(|part| part.split('.').next()).collect();
    roots.dedup();
    format!("{}_projections", roots.join("_"))
}

/// The longest part that holds all of `parts`: `attn` of `attn.q` and `attn.k`.
fn common_part(parts: &[&str]) -> String {
    let Some((first, rest)) = parts.split_first() else { return String::new() };
    let mut common: Vec<&str> = first.split('.').collect();
    for part in rest {
        let shared = common.iter().zip(part.split('.')).take_while(|(a, b)| *a == b).count();
        common.truncate(shared);
    }
    common.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_part_are_joined_after_their_prefix() {
        assert_eq!(
            joined_name(&["attn_q", "attn_k", "attn_v"], &["attn.q", "attn.k", "attn.v"]),
            "attn_q_k_v"
        );
    }

    #[test]
    fn names_of_several_parts_give_the_parts() {
        assert_eq!(joined_name(&["attn_q", "mlp_up"], &["attn.q", "mlp.up"]), "attn_mlp_projections");
        assert_eq!(common_part(&["attn.q", "mlp.up"]), "");
        assert_eq!(common_part(&["attn.q", "attn.k"]), "attn");
    }
}
