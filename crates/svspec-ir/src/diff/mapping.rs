//! What becomes of an old scale vector: whether the new model can bear its value, and where.

use super::edge::{self, Edge};
use crate::dim::{broadcast_channels, broadcasts};
use crate::migrate::{How, Plan};
use crate::print::{paths, roles};
use crate::{Absorption, CheckedModel, Model, Param, ScaleForm, ScaleId, ScaleVector};

/// Where the value of an old scale vector goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Into new scale vectors; says which and how.
    Borne(String),
    /// Nowhere; says why.
    Lost(String),
}

/// A place on an edge where a scale vector is applied.
struct Spot<'a> {
    edge: &'a Edge,
    depth: usize,
    sizes: &'a [usize],
}

/// The same vector of the other model: same path, at a depth where both are. Of several kinds of a layer, the first in
/// which it is of another size.
pub(super) fn counterpart<'a>(
    model: &Model,
    scale: &ScaleVector,
    other: &'a Model,
) -> Option<(ScaleId, &'a ScaleVector)> {
    let mut candidates = other.scales.iter().enumerate().filter(|(_, candidate)| {
        candidate.path == scale.path && paths::meet((model, scale.region), (other, candidate.region))
    });
    let first = candidates.next();
    let resized = candidates.find(|(_, candidate)| candidate.dims != scale.dims);
    let found = match first {
        Some((_, candidate)) if candidate.dims == scale.dims => resized.or(first),
        Some(_) | None => first,
    };
    found.map(|(index, candidate)| (ScaleId(index), candidate))
}

/// The fate of the old model's scale vector `id`, judged by names, or by `map`, where there is one and names do not tell.
pub(super) fn fate(old: &CheckedModel, new: &CheckedModel, id: ScaleId, map: Option<&Plan>) -> Fate {
    match (by_name(old, new, id), map) {
        (Fate::Lost(_), Some(map)) => Fate::Borne(by_map(old, new.model(), id, map)),
        (fate, _) => fate,
    }
}

/// What the map does with it.
fn by_map(old: &CheckedModel, new: &Model, id: ScaleId, map: &Plan) -> String {
    let Some(vector) = old.model().scales.get(id.0) else { return String::new() };
    let is_from_it = |how: &How| match how {
        How::Copy(own) | How::Multiplied(own, _) => vector.params.contains(&own.param),
        How::Gamma { scale, .. } => *scale == id,
        How::Identity { .. } => false,
    };
    let takes_it = |heir: &&ScaleVector| {
        map.steps.iter().any(|step| heir.params.contains(&step.tensor.param) && is_from_it(&step.how))
    };
    let heirs: Vec<&str> = new.scales.iter().filter(takes_it).map(|heir| heir.path.as_str()).collect();
    if !heirs.is_empty() {
        return format!("taken over by {}", crate::print::paths::joined(&heirs).join(", "));
    }
    let facts = old.facts().iter().find(|facts| facts.scale == id);
    facts.map_or_else(String::new, |facts| {
        format!("it folds {}", roles::absorption(old.model(), &facts.absorption))
    })
}

/// Its own successor bears it, or vectors that came do, or the weights into which it folds.
fn by_name(old: &CheckedModel, new: &CheckedModel, id: ScaleId) -> Fate {
    let Some(scale) = old.model().scales.get(id.0) else {
        return Fate::Lost("it is not of this model".to_owned());
    };
    let (old_edges, new_edges) = (edge::edges(old.model()), edge::edges(new.model()));
    let spots = spots(&old_edges, id);
    let why = match counterpart(old.model(), scale, new.model()) {
        Some((_, successor)) => match bears(scale, successor, &spots) {
            Ok(()) => return Fate::Borne(conversion(scale.form, successor.form)),
            Err(why) => Some(why),
        },
        None => match heirs(old.model(), new.model(), scale, &spots, &new_edges) {
            Ok(heirs) => {
                let names: Vec<&str> = heirs.iter().map(|heir| heir.path.as_str()).collect();
                let names = paths::joined(&names).join(", ");
                return Fate::Borne(format!("taken over by {names}"));
            }
            Err(why) => why,
        },
    };
    folded(old, new, id, why)
}

fn spots(edges: &[Edge], id: ScaleId) -> Vec<Spot<'_>> {
    let all = edges.iter().flat_map(|edge| edge.scales().into_iter().map(move |scale| (edge, scale)));
    all.filter(|(_, (_, other, _))| *other == id)
        .map(|(edge, (depth, _, sizes))| Spot { edge, depth, sizes })
        .collect()
}

/// Whether `successor` can take every value that `scale` can, wherever that is applied.
fn bears(scale: &ScaleVector, successor: &ScaleVector, spots: &[Spot<'_>]) -> Result<(), String> {
    if successor.form.is_positive() && !scale.form.is_positive() {
        return Err(format!("`{}` can only be positive", successor.path));
    }
    let sizes = |scale: &ScaleVector| scale.dims.iter().map(|dim| dim.size).collect::<Vec<_>>();
    for spot in spots {
        if !broadcasts(&sizes(successor), spot.sizes) {
            return Err(format!("`{}` is of another size", successor.path));
        }
        let wanted = broadcast_channels(&sizes(scale), spot.sizes);
        let given = broadcast_channels(&sizes(successor), spot.sizes);
        let mut entry_for = std::collections::BTreeMap::new();
        let is_finer = given
            .iter()
            .zip(&wanted)
            .all(|(given, wanted)| entry_for.entry(given).or_insert(wanted) == &wanted);
        if !is_finer {
            return Err(format!("`{}` has fewer entries than it needs", successor.path));
        }
    }
    Ok(())
}

/// The vectors that came wherever `scale` was applied, one for each place, applied nowhere else.
fn heirs<'a>(
    old: &Model,
    new: &'a Model,
    scale: &ScaleVector,
    spots: &[Spot<'_>],
    new_edges: &[Edge],
) -> Result<Vec<&'a ScaleVector>, Option<String>> {
    let mut heirs: Vec<&'a ScaleVector> = Vec::new();
    for spot in spots {
        let edge = new_edges
            .iter()
            .find(|edge| edge.key() == spot.edge.key() && edge.meets(spot.edge))
            .ok_or(None)?;
        if edge.skeleton() != spot.edge.skeleton() {
            return Err(None);
        }
        let here = edge.scales().into_iter().filter(|(depth, _, _)| *depth == spot.depth);
        let came = here.filter_map(|(_, id, _)| {
            let candidate = new.scales.get(id.0)?;
            counterpart(new, candidate, old).is_none().then_some((id, candidate))
        });
        let (id, heir) = came.into_iter().next().ok_or(None)?;
        let is_elsewhere = |other: &Edge, depth: usize| {
            !spots.iter().any(|spot| spot.edge.key() == other.key() && spot.depth == depth)
        };
        let goes_beyond = new_edges.iter().any(|other| {
            other.scales().iter().any(|(depth, applied, _)| *applied == id && is_elsewhere(other, *depth))
        });
        if goes_beyond {
            return Err(Some(format!("`{}` multiplies other values too", heir.path)));
        }
        bears(scale, heir, std::slice::from_ref(spot)).map_err(Some)?;
        if !heirs.contains(&heir) {
            heirs.push(heir);
        }
    }
    if heirs.is_empty() { Err(None) } else { Ok(heirs) }
}

/// Folding into the old model's weights, which the new model must have too.
fn folded(old: &CheckedModel, new: &CheckedModel, id: ScaleId, why: Option<String>) -> Fate {
    let facts = old.facts().iter().find(|facts| facts.scale == id);
    let Some(facts) = facts else { return Fate::Lost("nothing is proved of it".to_owned()) };
    let folds = match &facts.absorption {
        Absorption::IntoColumns(folds) | Absorption::IntoRows(folds) => folds,
        Absorption::None(reason) => {
            let why = why.map_or_else(String::new, |why| format!("{why}, and "));
            return Fate::Lost(format!("{why}it does not fold into weights: {reason}"));
        }
    };
    let params = folds.iter().filter_map(|fold| old.model().params.get(fold.weight.0));
    let missing = params.into_iter().find(|param| !has_param(old.model(), param, new.model()));
    if let Some(param) = missing {
        return Fate::Lost(format!("`{}`, into which it folds, changed", param.path));
    }
    let why = why.map_or_else(String::new, |why| format!("{why}, but "));
    Fate::Borne(format!("{why}it folds {}", roles::absorption(old.model(), &facts.absorption)))
}

fn has_param(old: &Model, param: &Param, new: &Model) -> bool {
    new.params.iter().any(|other| {
        let meet = paths::meet((old, param.region), (new, other.region));
        other.path == param.path && other.dims == param.dims && meet
    })
}

/// How the parameters of one form follow from γ of another.
fn conversion(from: ScaleForm, to: ScaleForm) -> String {
    if from == to {
        return "the same values".to_owned();
    }
    let how = match to {
        ScaleForm::Direct => "α = γ",
        ScaleForm::OnePlus => "α = γ − 1",
        ScaleForm::MagnitudeDirection => "β = RMS(γ), α = γ",
        ScaleForm::ExpMagnitudeDirection => "β = mean(log γ), α = log γ",
        ScaleForm::Softplus => "α = log(exp(γ) − 1)",
    };
    format!("the same γ, converted: {how}")
}
