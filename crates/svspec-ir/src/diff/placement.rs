//! Changes of wiring: what each anchor reads, before and after, in the notation of the equations.

use super::Class;
use super::edge::{self, Edge, Port};
use crate::Model;
use crate::print::paths;
use serde::Serialize;

/// Inputs that changed alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlacementChange {
    /// The region's name.
    pub region: String,
    /// The parts or values: `attn.{q, k, v}`.
    pub at: String,
    /// `in` or `out` of linear maps; empty for other values.
    pub port: &'static str,
    /// What was read; `None`: the place is new.
    pub before: Option<String>,
    /// What is read; `None`: the place is gone.
    pub after: Option<String>,
    /// The ops, scale vectors aside, that are on the way now and were not before.
    pub ops_came: Vec<String>,
    /// The ops that were on the way and are not any more.
    pub ops_went: Vec<String>,
    /// Function-preserving here means that only scale vectors that came or went differ, which are classed on their own.
    pub class: Class,
}

/// The edges that differ between `old` and `new`, alike ones together.
pub(super) fn changes(old: &Model, new: &Model) -> Vec<PlacementChange> {
    let (old_edges, new_edges) = (edge::edges(old), edge::edges(new));
    let has = |model: &Model, path: &str| model.scales.iter().any(|scale| scale.path == path);
    let stays = |path: &str| has(old, path) && has(new, path);
    let mut found: Vec<(PlacementChange, Vec<String>)> = Vec::new();
    for before in &old_edges {
        let after = new_edges.iter().find(|after| after.key() == before.key());
        if after.is_none_or(|after| after.text() != before.text() || after.skeleton() != before.skeleton()) {
            add(&mut found, Some(before), after, stays);
        }
    }
    for after in &new_edges {
        if !old_edges.iter().any(|before| before.key() == after.key()) {
            add(&mut found, None, Some(after), stays);
        }
    }
    found
        .into_iter()
        .map(|(change, parts)| {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            PlacementChange { at: paths::joined(&parts).join(", "), ..change }
        })
        .collect()
}

/// `stays` tells the scale vectors that both models have, which must be applied alike for the function to be the same.
fn add(
    found: &mut Vec<(PlacementChange, Vec<String>)>,
    before: Option<&Edge>,
    after: Option<&Edge>,
    stays: impl Fn(&str) -> bool,
) {
    let Some(edge) = before.or(after) else { return };
    let is_only_scales = before.zip(after).is_some_and(|(before, after)| {
        before.skeleton() == after.skeleton() && before.scale_paths(&stays) == after.scale_paths(&stays)
    });
    let (at, port) = match &edge.port {
        Port::In(part) => (part, "in"),
        Port::Out(part) => (part, "out"),
        Port::Term(value) => (value, ""),
    };
    let change = PlacementChange {
        region: edge.region.clone(),
        at: String::new(),
        port,
        before: before.map(Edge::text),
        after: after.map(Edge::text),
        ops_came: ops_beyond(after, before),
        ops_went: ops_beyond(before, after),
        class: if is_only_scales { Class::FunctionPreserving } else { Class::CheckpointCompatible },
    };
    match found.iter_mut().find(|(known, _)| *known == change) {
        Some((_, parts)) if parts.contains(at) => {}
        Some((_, parts)) => parts.push(at.clone()),
        None => found.push((change, vec![at.clone()])),
    }
}

/// The ops of `edge` that `other` has not, and what it reads if `other` reads something else.
fn ops_beyond(edge: Option<&Edge>, other: Option<&Edge>) -> Vec<String> {
    let (Some((source, ops)), Some((other_source, mut known))) =
        (edge.map(Edge::skeleton), other.map(Edge::skeleton))
    else {
        return Vec::new();
    };
    let mut beyond: Vec<String> = Vec::new();
    if source != other_source {
        beyond.push(source.to_owned());
    }
    for op in ops {
        match known.iter().position(|known| *known == op) {
            Some(index) => {
                known.remove(index);
            }
            None => beyond.push(op.to_owned()),
        }
    }
    beyond
}
