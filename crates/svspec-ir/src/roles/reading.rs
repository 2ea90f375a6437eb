//! The role: whether all that reads the scaled value is a linear map.

use super::flow::{self, Place, Reader};
use crate::{Model, Op, Proof, Role, ScaleId};
use std::collections::BTreeSet;

/// What a reader makes of a scaled value.
enum Reading {
    /// A linear map: its columns meet γ.
    LinearMap,
    /// Still the same channels, each rescaled or shifted; says how.
    LookThrough(String),
    /// Anything else; says what.
    Other(&'static str),
}

/// The role of `scale`, and the path that proves it.
pub(super) fn role(model: &Model, scale: ScaleId) -> (Role, Proof) {
    let path = model.scales.get(scale.0).map_or("", |scale| scale.path.as_str());
    let mut steps = Vec::new();
    let mut pending = flow::applications(model, scale);
    pending.reverse();
    for &place in pending.iter().rev() {
        let of = input_name(model, place);
        steps.push(format!("`{path}` multiplies `{of}`, giving `{}`", flow::value_name(model, place)));
    }
    let mut seen: BTreeSet<Place> = pending.iter().copied().collect();
    let mut is_read_by_linear = false;
    while let Some(place) = pending.pop() {
        let name = flow::value_name(model, place);
        let mut linear_maps = Vec::new();
        let mut next = Vec::new();
        for reader in flow::readers(model, place) {
            match reading(model, &reader) {
                Reading::LinearMap => linear_maps.push(part_name(&reader)),
                Reading::LookThrough(how) => {
                    steps.push(format!("`{name}` is read by {how}, giving `{}`", reader.node.name));
                    next.push(reader.place);
                }
                Reading::Other(what) => {
                    steps.push(format!(
                        "`{name}` is read by {what} (`{}`), not a linear map: role output",
                        reader.node.name
                    ));
                    return (Role::Output, Proof { steps });
                }
            }
        }
        if !linear_maps.is_empty() {
            is_read_by_linear = true;
            let noun = if linear_maps.len() == 1 { "a linear map" } else { "linear maps" };
            steps.push(format!("`{name}` is read by {}: {noun}", flow::list(&linear_maps)));
        }
        if flow::is_output(model, place) {
            let regions = flow::successors(model, place.region);
            let region_name =
                |id: crate::RegionId| model.regions.get(id.0).map_or("", |region| region.name.as_str());
            let names: Vec<&str> = regions.iter().map(|&region| region_name(region)).collect();
            steps.push(format!("`{name}` leaves `{}` for {}", region_name(place.region), flow::list(&names)));
            next.extend(regions.iter().flat_map(|&region| flow::carried(model, region)));
        }
        pending.extend(next.into_iter().rev().filter(|place| seen.insert(*place)));
    }
    if is_read_by_linear {
        steps.push("nothing else reads it: role input".to_owned());
        (Role::Input, Proof { steps })
    } else {
        steps.push("no linear map reads it: role output".to_owned());
        (Role::Output, Proof { steps })
    }
}

fn reading(model: &Model, reader: &Reader<'_>) -> Reading {
    match &reader.node.op {
        Op::Linear(_) | Op::ExpertLinear(_) => Reading::LinearMap,
        Op::Scale(op) => {
            let path = model.scales.get(op.scale.0).map_or("", |scale| scale.path.as_str());
            Reading::LookThrough(format!("`{path}`, another scale vector"))
        }
        Op::Bias(op) => {
            let path = model.params.get(op.param.0).map_or("", |param| param.path.as_str());
            Reading::LookThrough(format!("`{path}`, which only shifts it"))
        }
        Op::Gain(_) => Reading::LookThrough("a constant factor".to_owned()),
        Op::Slice(_) => Reading::LookThrough("a slice".to_owned()),
        Op::View(_) => Reading::LookThrough("a view".to_owned()),
        Op::Concat(_) => Reading::LookThrough("a concatenation".to_owned()),
        Op::Dispatch(_) => Reading::LookThrough("the dispatch to experts".to_owned()),
        Op::Input(_) | Op::Embed(_) | Op::Positions(_) => Reading::Other("an input"),
        Op::Normalize(_) => Reading::Other("a normalisation"),
        Op::Rope(_) => Reading::Other("a rotary embedding"),
        Op::Attention(_) => Reading::Other("attention"),
        Op::Activation(_) => Reading::Other("an activation"),
        Op::Mul(_) => Reading::Other("an element-wise product"),
        Op::Add(_) => Reading::Other("a sum"),
        Op::SoftCap(_) => Reading::Other("a soft-cap"),
        Op::Clamp(_) => Reading::Other("a clamp"),
        Op::CrossEntropy(_) => Reading::Other("the loss"),
        Op::Choose(_) => Reading::Other("the choice of experts"),
        Op::Route(_) => Reading::Other("the weights of experts"),
        Op::Combine(_) => Reading::Other("the sum over experts"),
    }
}

fn part_name<'a>(reader: &Reader<'a>) -> &'a str {
    if reader.node.part.is_empty() { &reader.node.name } else { &reader.node.part }
}

fn input_name(model: &Model, place: Place) -> &str {
    let input = flow::node(model, place).and_then(|node| node.inputs.first());
    input.map_or("", |&value| flow::value_name(model, Place { region: place.region, value }))
}
