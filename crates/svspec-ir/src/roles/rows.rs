//! Backward: γ goes to the rows of the linear map that produces what it multiplies, or the embedding table's columns.

use super::absorption::Folding;
use super::flow::{self, Place};
use crate::dim::broadcast_channels;
use crate::role::Fold;
use crate::{Model, Op, ParamId, RegionId, ScaleId};
use std::collections::BTreeMap;

/// Folds `scale`, applied at `places`, into what produces each scaled value; nothing else may read it.
pub(super) fn fold(model: &Model, scale: ScaleId, places: &[Place], steps: &mut Vec<String>) -> Folding {
    let Some(vector) = model.scales.get(scale.0) else { return Ok(Vec::new()) };
    let gamma: Vec<usize> = vector.dims.iter().map(|dim| dim.size).collect();
    let mut taken: BTreeMap<ParamId, (usize, Vec<usize>)> = BTreeMap::new();
    for &place in places {
        let sizes: Vec<usize> = flow::node(model, place)
            .map_or_else(Vec::new, |node| node.dims.iter().map(|dim| dim.size).collect());
        let channels = broadcast_channels(&gamma, &sizes);
        for param in producers(model, vector.region, place, steps)? {
            let channels = of_rows(model, param, &channels);
            let (uses, known) = taken.entry(param).or_insert_with(|| (0, channels.clone()));
            *uses += 1;
            if *known != channels {
                return Err(format!("the uses of `{}` would need different rows", path(model, param)));
            }
        }
    }
    for (&param, (uses, _)) in &taken {
        let num_users = flow::users(model, param).len();
        if num_users > *uses {
            return Err(format!("`{}` cannot take γ: it is used elsewhere without it", path(model, param)));
        }
        if *uses > num_users {
            return Err(format!("γ multiplies what comes from `{}` more than once", path(model, param)));
        }
    }
    Ok(taken
        .into_iter()
        .map(|(weight, (_, channels))| Fold { weight, channels: channels.into_iter().map(Some).collect() })
        .collect())
}

/// The parameters that produce what the node at `start` multiplies: a weight, and the biases added to its product.
fn producers(
    model: &Model,
    region: RegionId,
    start: Place,
    steps: &mut Vec<String>,
) -> Result<Vec<ParamId>, String> {
    let mut params = Vec::new();
    let mut place = start;
    loop {
        let input = flow::node(model, place).and_then(|node| node.inputs.first());
        let Some(&value) = input else { return Err("nothing produces what it multiplies".to_owned()) };
        place = Place { region: place.region, value };
        let Some(node) = flow::node(model, place) else {
            return Err("nothing produces what it multiplies".to_owned());
        };
        let name = &node.name;
        if flow::readers(model, place).len() > 1 || flow::is_output(model, place) {
            return Err(format!("`{name}` is read without γ too"));
        }
        match &node.op {
            Op::Scale(_) | Op::Gain(_) => steps.push(format!("γ commutes with `{name}`")),
            Op::Bias(bias) if shape(model, bias.param) != crate::dim::sizes(&node.dims) => {
                return Err(format!("`{}` adds one number to several channels", path(model, bias.param)));
            }
            Op::Bias(bias) => {
                steps.push(format!("γ multiplies the entries of `{}`", path(model, bias.param)));
                params.push(bias.param);
            }
            Op::Linear(linear) => {
                let [projection] = linear.projections.as_slice() else {
                    return Err(format!("`{name}` is a product of several weights"));
                };
                steps.push(format!("γ multiplies the rows of `{}`", path(model, projection.weight)));
                params.push(projection.weight);
                break;
            }
            Op::ExpertLinear(op) => {
                steps.push(format!("γ multiplies the rows of every expert of `{}`", path(model, op.weight)));
                params.push(op.weight);
                break;
            }
            Op::Embed(embed) => {
                steps.push(format!("γ multiplies the columns of `{}`", path(model, embed.table)));
                params.push(embed.table);
                break;
            }
            Op::Input(_) => return Err(format!("`{name}` comes from another block")),
            Op::Normalize(_) => {
                return Err(format!("`{name}` is a normalisation, which undoes a scale before it"));
            }
            Op::View(_)
            | Op::Slice(_)
            | Op::Concat(_)
            | Op::Rope(_)
            | Op::Attention(_)
            | Op::Activation(_)
            | Op::Mul(_)
            | Op::Add(_)
            | Op::SoftCap(_)
            | Op::Choose(_)
            | Op::Route(_)
            | Op::Dispatch(_)
            | Op::Combine(_)
            | Op::Clamp(_)
            | Op::Positions(_)
            | Op::CrossEntropy(_) => {
                return Err(format!(
                    "`{name}` is {}, not a linear map's product",
                    node.op.operation().name()
                ));
            }
        }
    }
    let foreign = params.iter().find(|param| {
        model.params.get(param.0).is_none_or(|param| !flow::share_tensors(model, region, param.region))
    });
    match foreign {
        Some(&param) => Err(format!("`{}` is another block's", path(model, param))),
        None => Ok(params),
    }
}

/// `channels` of a product as those of the rows that make it: of experts, who share the vector, the same for each.
fn of_rows(model: &Model, param: ParamId, channels: &[usize]) -> Vec<usize> {
    let num_rows = match model.params.get(param.0) {
        Some(param) if param.num_out_dims > 1 => {
            param.dims.iter().take(param.num_out_dims).map(|dim| dim.size).product()
        }
        Some(_) | None => channels.len(),
    };
    channels.iter().copied().cycle().take(num_rows).collect()
}

/// The sizes of a parameter.
fn shape(model: &Model, param: ParamId) -> Vec<usize> {
    model.params.get(param.0).map(|param| crate::dim::sizes(&param.dims)).unwrap_or_default()
}

fn path(model: &Model, param: ParamId) -> &str {
    model.params.get(param.0).map_or("", |param| param.path.as_str())
}
