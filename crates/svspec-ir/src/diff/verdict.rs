//! The class of a change as a whole, and the reasons.

use super::{Class, PlacementChange, ScaleChange, SettingChange, TensorChange, placement};
use crate::{Dim, Model};
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

/// Breaking takes both: another function, and other tensors. Another function of the same tensors still loads.
pub(super) fn verdict(
    old: &Model,
    new: &Model,
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
    let (class, meaning) = match (causes.is_empty(), has_same_tensors) {
        (true, true) => (Class::FunctionPreserving, "the function and its tensors are the same"),
        (true, false) => {
            (Class::FunctionPreserving, "the old parameters map to new ones that compute the same function")
        }
        (false, true) => {
            (Class::CheckpointCompatible, "the tensors are the same, the function of them is another")
        }
        (false, false) => {
            (Class::Breaking, "the tensors differ, and no mapping of them is known to keep the function")
        }
    };
    let reasons = std::iter::once(meaning.to_owned()).chain(causes).collect();
    Verdict { class, reasons }
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
        (Some(_), Some(_)) if ops.is_empty() => "the same in another order".to_owned(),
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
