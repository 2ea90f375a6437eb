//! Forward: γ follows the scaled value through ops that commute with it, into the columns of linear maps.

use super::absorption::Folding;
use super::flow::{self, Place};
use crate::op::Passage;
use crate::role::Fold;
use crate::{Dim, Model, Op, ParamId, RegionId, ScaleId};
use std::collections::BTreeMap;

/// What each linear map takes of γ, once for each way that γ reaches it.
type Taken = BTreeMap<Place, Vec<Channels>>;

/// For each channel of a value the entry of γ on it.
type Channels = Vec<Option<usize>>;

/// Folds `scale`, applied at `places`, into the columns of what reads it; every reader must take it.
pub(super) fn fold(model: &Model, scale: ScaleId, places: &[Place], steps: &mut Vec<String>) -> Folding {
    let Some(vector) = model.scales.get(scale.0) else { return Ok(Vec::new()) };
    let gamma: Vec<usize> = vector.dims.iter().map(|dim| dim.size).collect();
    let mut pending: Vec<(Place, Channels)> = Vec::new();
    for &place in places.iter().rev() {
        let sizes: Vec<usize> = flow::node(model, place)
            .map_or_else(Vec::new, |node| node.dims.iter().map(|dim| dim.size).collect());
        pending.push((place, flow::channels_of(vector, &gamma, &sizes).into_iter().map(Some).collect()));
    }
    let mut taken = Taken::new();
    while let Some((place, channels)) = pending.pop() {
        let name = flow::value_name(model, place);
        if flow::is_output(model, place) {
            return Err(format!("`{name}` leaves its block, and γ has no weight to go to there"));
        }
        let readers = flow::readers(model, place);
        if readers.is_empty() {
            return Err(format!("nothing reads `{name}`"));
        }
        for reader in readers {
            if vector.num_vectors > 1 && matches!(reader.node.op, Op::Combine(_)) {
                return Err(format!(
                    "γ on `{name}` does not pass the sum over experts, who have a vector each"
                ));
            }
            let inputs: Vec<&[Dim]> = reader
                .node
                .inputs
                .iter()
                .map(|&value| {
                    flow::node(model, Place { region: place.region, value })
                        .map_or(&[][..], |node| &node.dims)
                })
                .collect();
            match reader.node.op.operation().pass_scale(model, reader.input, &channels, &inputs) {
                Passage::Absorbed => taken.entry(reader.place).or_default().push(channels.clone()),
                // The reader takes channels only that γ leaves alone.
                Passage::Through(passed) if passed.iter().all(Option::is_none) => {}
                Passage::Through(passed) => {
                    let op = reader.node.op.operation().name();
                    steps.push(format!("γ on `{name}` passes through {op} to `{}`", reader.node.name));
                    pending.push((reader.place, passed));
                }
                Passage::Blocked(why) => return Err(format!("γ on `{name}` does not pass {why}")),
            }
        }
    }
    let folds = by_weight(model, vector.region, &taken, steps)?;
    let of_each = |fold: Fold| Fold { channels: flow::of_each_expert(vector, &fold.channels), ..fold };
    Ok(folds.into_iter().map(of_each).collect())
}

/// Checks that each weight takes γ alike wherever it is used, and lists it as often as it takes γ.
fn by_weight(model: &Model, region: RegionId, taken: &Taken, steps: &mut Vec<String>) -> Folding {
    let mut by_weight: BTreeMap<ParamId, Vec<&Vec<Channels>>> = BTreeMap::new();
    for (&place, ways) in taken {
        let node = flow::node(model, place);
        for weight in node.map_or_else(Vec::new, |node| node.op.operation().params()) {
            by_weight.entry(weight).or_default().push(ways);
        }
    }
    let mut folds = Vec::new();
    for (weight, uses) in by_weight {
        let Some(param) = model.params.get(weight.0) else { continue };
        let path = &param.path;
        if !flow::share_tensors(model, region, param.region) {
            return Err(format!("`{path}` is another block's"));
        }
        let users = flow::users(model, weight);
        if let Some((_, user)) = users.iter().find(|(place, _)| !taken.contains_key(place)) {
            let what = if matches!(user.op, Op::Embed(_)) {
                "it is tied to the embedding table, so the embedding would change too".to_owned()
            } else {
                format!("`{}` uses the same weight without γ", user.name)
            };
            return Err(format!("`{path}` cannot take γ: {what}"));
        }
        let Some((first, rest)) = uses.split_first() else { continue };
        let sorted = |ways: &[Channels]| {
            let mut ways = ways.to_vec();
            ways.sort();
            ways
        };
        if rest.iter().any(|ways| sorted(ways) != sorted(first)) {
            return Err(format!("the uses of `{path}` would need different columns"));
        }
        steps.push(format!("γ multiplies the columns of `{path}`"));
        // What experts read has a copy of each channel for every chosen one, all alike.
        let num_columns = param.dims.iter().skip(param.num_out_dims).map(|dim| dim.size).product();
        let columns = |channels: &Channels| channels.iter().copied().take(num_columns).collect();
        folds.extend(first.iter().map(|channels| Fold { weight, channels: columns(channels) }));
    }
    Ok(folds)
}
