//! The class of a change as a whole, and the reasons.

use super::{Class, PlacementChange, ScaleChange, SettingChange, TensorChange, placement};
use crate::migrate::{Difference, How, Plan};
use crate::print::paths;
use crate::{Dim, Instance, Model, ParamKind};
use serde::Serialize;
use std::collections::BTreeMap;

/// The class of a change as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The worst that the changes together come to.
    pub class: Class,
    /// In words: first what it means, then what makes it so.
    pub reasons: Vec<String>,
}

/// Function-preserving is what there is a map for. Breaking takes both: another function, and other tensors. Another function of the same tensors still loads.
pub(super) fn verdict(
    (old, new): (&Model, &Model),
    map: &Result<Plan, Difference>,
    settings: &[SettingChange],
    placement: &[PlacementChange],
    tensors: &[TensorChange],
    scales: &[ScaleChange],
) -> Verdict {
    let mut causes: Vec<String> = Vec::new();
    let is_change = |class: Class| class > Class::FunctionPreserving;
    let settings = settings.iter().filter(|change| is_change(change.class));
    causes.extend(
        settings.map(|change| format!("`{}` was {}, is {}", change.name, change.before, change.after)),
    );
    causes.extend(placement_causes(placement));
    causes.extend(tensors.iter().map(tensor_cause));
    let scales = scales.iter().filter(|change| is_change(change.class));
    causes
        .extend(scales.map(|change| format!("the values of `{}` are lost: {}", change.paths, change.reason)));
    let has_same_tensors = shapes(old) == shapes(new);
    let (class, meaning) = match (map, has_same_tensors) {
        (Ok(map), true) if is_identity(old, new, map) => {
            (Class::FunctionPreserving, "the function and its tensors are the same")
        }
        (Ok(_), _) => {
            (Class::FunctionPreserving, "the old parameters map to new ones that compute the same function")
        }
        (Err(_), true) => {
            (Class::CheckpointCompatible, "the tensors are the same, the function of them is another")
        }
        (Err(_), false) => {
            (Class::Breaking, "the tensors differ, and no mapping of them is known to keep the function")
        }
    };
    match map {
        Ok(map) => causes = renamed(old, new, map),
        Err(difference) if causes.is_empty() => causes.push(difference.to_string()),
        Err(_) => {}
    }
    let reasons = std::iter::once(meaning.to_owned()).chain(causes).collect();
    Verdict { class, reasons }
}

/// Whether every tensor is taken as it is, under its name.
fn is_identity(old: &Model, new: &Model, map: &Plan) -> bool {
    map.steps.iter().all(|step| match &step.how {
        How::Copy(own) => old.instance_name(*own) == new.instance_name(step.tensor),
        How::Multiplied(..) | How::Gamma { .. } | How::Identity { .. } => false,
    })
}

/// The tensors that have another name in the old model. Of vectors, which are told of elsewhere, only those whose name meant
/// another there.
fn renamed(old: &Model, new: &Model, map: &Plan) -> Vec<String> {
    let path = |model: &Model, tensor: Instance| {
        model.params.get(tensor.param.0).map_or("", |param| param.path.as_str()).to_owned()
    };
    let is_told_of = |tensor: Instance| {
        let param = new.params.get(tensor.param.0);
        param.is_some_and(|param| {
            param.kind == ParamKind::Scale && !old.params.iter().any(|other| other.path == param.path)
        })
    };
    let mut renamed: Vec<(String, String)> = Vec::new();
    for step in map.steps.iter().filter(|step| !is_told_of(step.tensor)) {
        let Some(source) = step.how.source() else { continue };
        let pair = (path(new, step.tensor), path(old, source));
        if pair.0 != pair.1 && !renamed.contains(&pair) {
            renamed.push(pair);
        }
    }
    let line = |(after, before): (&str, &str)| format!("`{after}` takes the values of `{before}`");
    let after: Vec<&str> = renamed.iter().map(|(after, _)| after.as_str()).collect();
    let before: Vec<&str> = renamed.iter().map(|(_, before)| before.as_str()).collect();
    let (joined_after, joined_before) = (paths::joined(&after), paths::joined(&before));
    if joined_after.len() == joined_before.len() {
        joined_after.iter().zip(&joined_before).map(|(after, before)| line((after, before))).collect()
    } else {
        after.into_iter().zip(before).map(line).collect()
    }
}

/// One cause for all places that changed alike.
fn placement_causes(changes: &[PlacementChange]) -> Vec<String> {
    let mut causes: Vec<(String, &str, Vec<String>)> = Vec::new();
    for change in changes.iter().filter(|change| change.class > Class::FunctionPreserving) {
        let what = placement_cause(change);
        match causes.iter_mut().find(|(known, port, _)| *known == what && *port == change.port) {
            Some((_, _, places)) => places.extend(change.places.iter().cloned()),
            None => causes.push((what, change.port, change.places.clone())),
        }
    }
    causes
        .into_iter()
        .map(|(what, port, places)| format!("{}: {what}", placement::place(&places, port)))
        .collect()
}

fn placement_cause(change: &PlacementChange) -> String {
    let came = change.ops_came.iter().map(|op| format!("`{op}` came"));
    let went = change.ops_went.iter().map(|op| format!("`{op}` went"));
    let ops: Vec<String> = came.chain(went).collect();
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if ops.is_empty() => format!("`{before}` became `{after}`"),
        (Some(_), Some(_)) => ops.join(", "),
        (None, _) => "new".to_owned(),
        (Some(_), None) => "gone".to_owned(),
    }
}

fn tensor_cause(change: &TensorChange) -> String {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => format!("`{}` was {before}, is {after}", change.paths),
        (None, _) => format!("`{}` is new", change.paths),
        (Some(_), None) => format!("`{}` is gone", change.paths),
    }
}

/// Every tensor's name and shape.
fn shapes(model: &Model) -> BTreeMap<String, Vec<usize>> {
    let sizes = |dims: &[Dim]| dims.iter().map(|dim| dim.size).collect();
    let instances = model.instances().into_iter();
    instances
        .filter_map(|instance| {
            let param = model.params.get(instance.param.0)?;
            Some((model.instance_name(instance), sizes(&param.dims)))
        })
        .collect()
}
