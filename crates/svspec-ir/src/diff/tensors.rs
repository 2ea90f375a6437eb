//! Weights, embeddings and biases that came, went or changed shape.

use super::Class;
use crate::print::paths;
use crate::{Model, Param, ParamKind};
use serde::Serialize;

/// Tensors that changed alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TensorChange {
    /// Their paths: `attn.{q, k}.bias`.
    pub paths: String,
    /// The region's name.
    pub region: String,
    /// The old shape; `None`: they came.
    pub before: Option<String>,
    /// The new shape; `None`: they went.
    pub after: Option<String>,
    /// Breaking, unless there is a map for the change as a whole.
    pub class: Class,
}

/// The tensors, scale vectors' aside, that `old` and `new` do not share.
pub(super) fn changes(old: &Model, new: &Model) -> Vec<TensorChange> {
    let mut found: Vec<(TensorChange, Vec<String>)> = Vec::new();
    let mut add = |model: &Model, before: Option<&Param>, after: Option<&Param>| {
        let Some(param) = before.or(after) else { return };
        let change = TensorChange {
            paths: String::new(),
            region: region_name(model, param).to_owned(),
            before: before.map(|param| paths::sizes(&param.dims)),
            after: after.map(|param| paths::sizes(&param.dims)),
            class: Class::Breaking,
        };
        match found.iter_mut().find(|(known, _)| *known == change) {
            Some((_, paths)) => paths.push(param.path.clone()),
            None => found.push((change, vec![param.path.clone()])),
        }
    };
    for param in plain(old) {
        let after = plain(new).find(|after| is_same(old, param, new, after));
        if after.is_none_or(|after| paths::sizes(&after.dims) != paths::sizes(&param.dims)) {
            add(old, Some(param), after);
        }
    }
    for param in plain(new) {
        if !plain(old).any(|before| is_same(old, before, new, param)) {
            add(new, None, Some(param));
        }
    }
    found
        .into_iter()
        .map(|(change, members)| {
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            TensorChange { paths: paths::joined(&members).join(", "), ..change }
        })
        .collect()
}

fn plain(model: &Model) -> impl Iterator<Item = &Param> {
    model.params.iter().filter(|param| param.kind != ParamKind::Scale)
}

fn is_same(old: &Model, before: &Param, new: &Model, after: &Param) -> bool {
    before.path == after.path && region_name(old, before) == region_name(new, after)
}

fn region_name<'a>(model: &'a Model, param: &Param) -> &'a str {
    model.regions.get(param.region.0).map_or("", |region| region.name.as_str())
}
