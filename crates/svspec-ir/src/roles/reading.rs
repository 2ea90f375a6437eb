//! The role: whether all that reads the scaled value is a linear map.

use super::flow::{self, Place, Reader};
use crate::op::Reading;
use crate::{Model, Proof, Role, ScaleId};
use std::collections::BTreeSet;

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
            match reader.node.op.operation().reading(model) {
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

fn part_name<'a>(reader: &Reader<'a>) -> &'a str {
    if reader.node.part.is_empty() { &reader.node.name } else { &reader.node.part }
}

fn input_name(model: &Model, place: Place) -> &str {
    let input = flow::node(model, place).and_then(|node| node.inputs.first());
    input.map_or("", |&value| flow::value_name(model, Place { region: place.region, value }))
}
