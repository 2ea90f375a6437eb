//! Backward: γ goes to the rows of the linear maps that produce what it multiplies, or the embedding table's columns.

use super::absorption::Folding;
use super::flow::{self, Place, Reader};
use crate::dim::num_elements;
use crate::op::Origin;
use crate::role::Fold;
use crate::{Dim, Model, Op, ParamId, ParamKind, RegionId, ScaleId, ScaleVector};
use std::collections::BTreeMap;

/// For each channel of a value the entry of γ on it.
type Channels = Vec<Option<usize>>;

/// What each use of a parameter takes of γ.
type Taken = BTreeMap<ParamId, BTreeMap<Place, Channels>>;

/// Folds `scale`, applied at `places`, into what produces each scaled value; nothing else may read it.
pub(super) fn fold(model: &Model, scale: ScaleId, places: &[Place], steps: &mut Vec<String>) -> Folding {
    let Some(vector) = model.scales.get(scale.0) else { return Ok(Vec::new()) };
    let gamma: Vec<usize> = vector.dims.iter().map(|dim| dim.size).collect();
    let mut taken = Taken::new();
    for &place in places {
        let sizes: Vec<usize> = flow::node(model, place)
            .map_or_else(Vec::new, |node| node.dims.iter().map(|dim| dim.size).collect());
        let channels = flow::channels_of(vector, &gamma, &sizes).into_iter().map(Some).collect();
        produce(model, vector, place, channels, &mut taken, steps)?;
    }
    by_param(model, vector.region, taken)
}

/// Follows γ from where it is applied, at `start` with these channels, to all that produces what it multiplies.
fn produce(
    model: &Model,
    vector: &ScaleVector,
    start: Place,
    channels: Channels,
    taken: &mut Taken,
    steps: &mut Vec<String>,
) -> Result<(), String> {
    let mut pending = vec![(start, 0, channels)];
    while let Some((reader, input, channels)) = pending.pop() {
        let value = flow::node(model, reader).and_then(|node| node.inputs.get(input));
        let Some(&value) = value else { return Err("nothing produces what it multiplies".to_owned()) };
        let place = Place { region: reader.region, value };
        let Some(node) = flow::node(model, place) else {
            return Err("nothing produces what it multiplies".to_owned());
        };
        let name = &node.name;
        let mut others = flow::readers(model, place).into_iter();
        let is_read_too = others.any(|other| {
            let is_this = other.place == reader && other.input == input;
            !is_this && reads(&other, &node.dims, &channels)
        });
        if is_read_too || flow::is_output(model, place) {
            return Err(format!("`{name}` is read without γ too"));
        }
        let inputs: Vec<&[Dim]> = node
            .inputs
            .iter()
            .map(|&value| {
                flow::node(model, Place { region: place.region, value }).map_or(&[][..], |node| &node.dims)
            })
            .collect();
        match node.op.operation().pull_scale(model, &channels, &inputs, &node.dims) {
            Origin::Inputs(of_inputs) => {
                steps.push(format!("γ commutes with `{name}`"));
                let reached = of_inputs.into_iter().enumerate();
                let reached = reached.filter_map(|(input, channels)| Some((place, input, channels?)));
                pending.extend(reached.collect::<Vec<_>>().into_iter().rev());
            }
            Origin::Shifted { by, input } => {
                steps.push(format!("γ multiplies the entries of `{}`", path(model, by)));
                take(model, taken, by, place, &of_rows(model, by, &channels, vector))?;
                pending.push((place, 0, input));
            }
            Origin::Taken { by, how } => {
                steps.push(format!("γ multiplies {how} `{}`", path(model, by)));
                take(model, taken, by, place, &of_rows(model, by, &channels, vector))?;
            }
            Origin::Blocked(why) => return Err(format!("`{name}` {why}")),
        }
    }
    Ok(())
}

/// Whether a reader of a value of dimensions `dims` takes any of the channels that γ multiplies.
fn reads(reader: &Reader<'_>, dims: &[Dim], channels: &Channels) -> bool {
    let Op::Slice(slice) = &reader.node.op else { return true };
    let size = dims.last().map_or(1, |dim| dim.size).max(1);
    let is_taken =
        |channel: usize| (slice.start..slice.start + num_elements(&slice.dims)).contains(&(channel % size));
    channels.iter().enumerate().any(|(channel, entry)| entry.is_some() && is_taken(channel))
}

/// Notes what `param`, as the node at `place` uses it, takes; several ways to it take different entries.
fn take(
    model: &Model,
    taken: &mut Taken,
    param: ParamId,
    place: Place,
    channels: &Channels,
) -> Result<(), String> {
    let nothing = || vec![None; channels.len()];
    let known = taken.entry(param).or_default().entry(place).or_insert_with(nothing);
    for (known, entry) in known.iter_mut().zip(channels) {
        if known.is_some() && entry.is_some() {
            return Err(format!("γ multiplies what comes from `{}` more than once", path(model, param)));
        }
        *known = known.or(*entry);
    }
    Ok(())
}

/// Checks that every use of a parameter takes the same, and that it is none of another block.
fn by_param(model: &Model, region: RegionId, taken: Taken) -> Folding {
    let mut folds = Vec::new();
    for (param, uses) in taken {
        let path = path(model, param);
        if flow::users(model, param).iter().any(|(place, _)| !uses.contains_key(place)) {
            return Err(format!("`{path}` cannot take γ: it is used elsewhere without it"));
        }
        let is_foreign = |param: &crate::Param| !flow::share_tensors(model, region, param.region);
        if model.params.get(param.0).is_none_or(is_foreign) {
            return Err(format!("`{path}` is another block's"));
        }
        let mut uses = uses.into_values();
        let Some(channels) = uses.next() else { continue };
        if uses.any(|other| other != channels) {
            return Err(format!("the uses of `{path}` would need different rows"));
        }
        folds.push(Fold { weight: param, channels });
    }
    Ok(folds)
}

/// `channels` of a product as those of the rows that make it: of experts who share the vector, the same for each; of experts
/// who have one each, those of the first, then of the second.
fn of_rows(model: &Model, param: ParamId, channels: &Channels, vector: &ScaleVector) -> Channels {
    let num_rows = match model.params.get(param.0) {
        Some(param) if param.num_out_dims > 1 => {
            param.dims.iter().take(param.num_out_dims).map(|dim| dim.size).product()
        }
        Some(param) if param.kind == ParamKind::Bias => num_elements(&param.dims),
        Some(_) | None => channels.len(),
    };
    if vector.num_vectors > 1 {
        let of_one = channels.get(..num_rows / vector.num_vectors).unwrap_or_default();
        return flow::of_each_expert(vector, of_one);
    }
    channels.iter().copied().cycle().take(num_rows).collect()
}

fn path(model: &Model, param: ParamId) -> &str {
    model.params.get(param.0).map_or("", |param| param.path.as_str())
}
