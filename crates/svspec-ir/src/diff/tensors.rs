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
    let mut found: Vec<Change> = Vec::new();
    for param in plain(old) {
        let mut after = plain(new).filter(|after| is_same(old, param, new, after)).peekable();
        if after.peek().is_none() {
            add(&mut found, (old, param), [Some(param), None]);
        }
        for after in after.filter(|after| paths::sizes(&after.dims) != paths::sizes(&param.dims)) {
            add(&mut found, (old, param), [Some(param), Some(after)]);
        }
    }
    for param in plain(new) {
        if !plain(old).any(|before| is_same(old, before, new, param)) {
            add(&mut found, (new, param), [None, Some(param)]);
        }
    }
    let mut rows: Vec<(TensorChange, Vec<String>)> = Vec::new();
    for change in found {
        let [before, after] = change.sizes.map(|sizes| shown(&sizes));
        let row = TensorChange {
            paths: String::new(),
            region: change.family,
            before,
            after,
            class: Class::Breaking,
        };
        match rows.iter_mut().find(|(known, _)| *known == row) {
            Some((_, paths)) => paths.push(change.path),
            None => rows.push((row, vec![change.path])),
        }
    }
    rows.into_iter()
        .map(|(change, members)| {
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            TensorChange { paths: paths::joined(&members).join(", "), ..change }
        })
        .collect()
}

/// A parameter that changed, in every kind of its layer.
struct Change {
    path: String,
    family: String,
    /// The sizes it had, and has; those of several kinds of layer in their order.
    sizes: [Vec<String>; 2],
}

fn add(found: &mut Vec<Change>, (model, param): (&Model, &Param), sides: [Option<&Param>; 2]) {
    let family = paths::family(model, param.region);
    let sizes = sides.map(|side| side.map(|param| paths::sizes(&param.dims)));
    let is_known = |known: &&mut Change| {
        known.path == param.path
            && known.family == family
            && known.sizes.iter().zip(&sizes).all(|(known, new)| known.is_empty() == new.is_none())
    };
    match found.iter_mut().find(is_known) {
        Some(known) => {
            for (known, new) in known.sizes.iter_mut().zip(sizes) {
                known.extend(new.filter(|new| !known.contains(new)));
            }
        }
        None => found.push(Change {
            path: param.path.clone(),
            family: family.to_owned(),
            sizes: sizes.map(|side| side.into_iter().collect()),
        }),
    }
}

/// `[48, 64]`; `[48, 64] … [96, 64]` where kinds of a layer differ.
fn shown(sizes: &[String]) -> Option<String> {
    match sizes {
        [] => None,
        [only] => Some(only.clone()),
        [first, .., last] => Some(format!("{first} … {last}")),
    }
}

fn plain(model: &Model) -> impl Iterator<Item = &Param> {
    model.params.iter().filter(|param| param.kind != ParamKind::Scale)
}

fn is_same(old: &Model, before: &Param, new: &Model, after: &Param) -> bool {
    before.path == after.path && paths::meet((old, before.region), (new, after.region))
}
