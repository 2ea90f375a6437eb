//! Data flow over regions: which nodes apply a parameter, which read a value, and where a region's output goes.

use crate::Model;
use crate::dim::{broadcast_channels, num_elements};
use crate::op::Input;
use crate::{Node, Op, ParamId, Region, RegionId, RegionKind, ScaleId, ScaleVector, ValueId};

/// A value of the model: the result of a node of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub region: RegionId,
    pub value: ValueId,
}

/// A node that reads a value, at one of its inputs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    pub place: Place,
    pub node: &'a Node,
    pub input: usize,
}

/// The node whose result `place` names.
pub(super) fn node(model: &Model, place: Place) -> Option<&Node> {
    model.regions.get(place.region.0)?.nodes.get(place.value.0)
}

/// The name of the value at `place`, for proofs.
pub(super) fn value_name(model: &Model, place: Place) -> &str {
    node(model, place).map_or("", |node| node.name.as_str())
}

/// Every node of the regions that may read a tensor of region `home`, with its place.
fn nodes(model: &Model, home: RegionId) -> impl Iterator<Item = (Place, &Node)> {
    let may_read = move |(region, _): &(usize, &Region)| share_tensors(model, RegionId(*region), home);
    model.regions.iter().enumerate().filter(may_read).flat_map(|(region, body)| {
        let place = move |value| Place { region: RegionId(region), value: ValueId(value) };
        body.nodes.iter().enumerate().map(move |(value, node)| (place(value), node))
    })
}

/// Where the scale vector is applied.
pub(super) fn applications(model: &Model, scale: ScaleId) -> Vec<Place> {
    let Some(home) = model.scales.get(scale.0).map(|scale| scale.region) else { return Vec::new() };
    nodes(model, home)
        .filter(|(_, node)| {
            matches!(&node.op, Op::Scale(op) if op.scale == scale)
                || matches!(&node.op, Op::ExpertScale(op) if op.scale == scale)
        })
        .map(|(place, _)| place)
        .collect()
}

/// The nodes that read the parameter itself.
pub(super) fn users(model: &Model, param: ParamId) -> Vec<(Place, &Node)> {
    let Some(home) = model.params.get(param.0).map(|param| param.region) else { return Vec::new() };
    nodes(model, home).filter(|(_, node)| node.op.operation().params().contains(&param)).collect()
}

/// The nodes that read `place` within its region, once for each input that does.
pub(super) fn readers(model: &Model, place: Place) -> Vec<Reader<'_>> {
    let Some(region) = model.regions.get(place.region.0) else { return Vec::new() };
    let inputs = region.nodes.iter().enumerate().flat_map(|(value, node)| {
        let reading = Place { region: place.region, value: ValueId(value) };
        let all = node.inputs.iter().enumerate();
        all.map(move |(input, &read)| (read, Reader { place: reading, node, input }))
    });
    inputs.filter(|(read, _)| *read == place.value).map(|(_, reader)| reader).collect()
}

/// Whether `place` leaves its region.
pub(super) fn is_output(model: &Model, place: Place) -> bool {
    model.regions.get(place.region.0).is_some_and(|region| region.hands_on(place.value))
}

/// The regions that may follow `region`, without repetition, in their order in the model.
pub(super) fn successors(model: &Model, region: RegionId) -> Vec<RegionId> {
    let first_of = |kind: RegionKind| model.regions.iter().position(|other| other.kind == kind).map(RegionId);
    let Some(kind) = model.regions.get(region.0).map(|region| region.kind) else { return Vec::new() };
    let mut next: Vec<RegionId> = match kind {
        RegionKind::Embed => {
            model.stack.first().copied().or_else(|| first_of(RegionKind::Head)).into_iter().collect()
        }
        RegionKind::Layer => {
            let followers = model.stack.iter().skip(1).map(Some).chain([None]);
            let pairs = model.stack.iter().zip(followers);
            pairs
                .filter(|(layer, _)| **layer == region)
                .filter_map(|(_, follower)| follower.copied().or_else(|| first_of(RegionKind::Head)))
                .collect()
        }
        RegionKind::Head => first_of(RegionKind::Loss).into_iter().collect(),
        RegionKind::Loss => Vec::new(),
    };
    next.sort();
    next.dedup();
    next
}

/// The values through which a region receives its predecessor's output.
pub(super) fn carried(model: &Model, region: RegionId) -> Vec<Place> {
    let nodes: &[Node] = model.regions.get(region.0).map_or(&[], |region: &Region| region.nodes.as_slice());
    let values = nodes.iter().enumerate();
    values
        .filter(|(_, node)| matches!(&node.op, Op::Input(Input::Carried)))
        .map(|(value, _)| Place { region, value: ValueId(value) })
        .collect()
}

/// Whether `a` and `b` hold the same tensors at any one time: the same layer, or both outside the stack.
pub(super) fn share_tensors(model: &Model, a: RegionId, b: RegionId) -> bool {
    let in_stack =
        |id: RegionId| model.regions.get(id.0).is_some_and(|region| region.kind == RegionKind::Layer);
    a == b || !(in_stack(a) || in_stack(b))
}

/// "`a`", "`a` and `b`", "`a`, `b` and `c`".
pub(super) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// What one expert's matrix takes of its vector, as what all of them take of theirs.
pub(super) fn of_each_expert(vector: &ScaleVector, channels: &[Option<usize>]) -> Vec<Option<usize>> {
    let size = num_elements(&vector.dims) / vector.num_vectors.max(1);
    let of = |index: usize| channels.iter().map(move |entry| entry.map(|entry| index * size + entry));
    (0..vector.num_vectors).flat_map(of).collect()
}

/// For each channel of a value of sizes `outer`, counted flat, the entry of γ that meets it; of experts who have a vector each,
/// the entry of that.
pub(super) fn channels_of(vector: &ScaleVector, gamma: &[usize], outer: &[usize]) -> Vec<usize> {
    let of_one = if vector.num_vectors > 1 { gamma.get(1..).unwrap_or_default() } else { gamma };
    broadcast_channels(of_one, outer)
}
