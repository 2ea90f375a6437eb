//! Changes of wiring: what each anchor reads, before and after, in the notation of the equations.

use super::Class;
use super::edge::{self, Edge, Joint, Port};
use crate::Model;
use crate::print::paths;
use serde::Serialize;

/// Places that changed alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlacementChange {
    /// The region's name.
    pub region: String,
    /// The parts or values: `attn.q`, `attn.k`.
    pub places: Vec<String>,
    /// `in` or `out` of linear maps; empty for other values.
    pub port: &'static str,
    /// What was read; `None`: the place is new.
    pub before: Option<String>,
    /// What is read; `None`: the place is gone.
    pub after: Option<String>,
    /// The ops, and what they start from, that are on the way now and were not before; scale vectors aside.
    pub ops_came: Vec<String>,
    /// Those that were on the way and are not any more.
    pub ops_went: Vec<String>,
    /// Function-preserving here means that only scale vectors that came or went differ, which are classed on their own.
    pub class: Class,
}

/// The edges of one anchor, in the order of its inputs.
struct Anchor<'a> {
    edges: Vec<&'a Edge>,
}

/// What differs between `old` and `new`, alike changes together. Where an anchor still reads the same values, each way
/// to it is compared on its own; otherwise the anchor as a whole is.
pub(super) fn changes(old: &Model, new: &Model) -> Vec<PlacementChange> {
    let has = |model: &Model, path: &str| model.scales.iter().any(|scale| scale.path == path);
    let stays = |path: &str| has(old, path) && has(new, path);
    let (old_edges, new_edges) = (edge::distinct(old), edge::distinct(new));
    let (old_anchors, new_anchors) = (anchors(&old_edges), anchors(&new_edges));
    let mut found: Vec<PlacementChange> = Vec::new();
    for before in &old_anchors {
        match new_anchors.iter().find(|after| after.key() == before.key()) {
            Some(after) if before.sources() == after.sources() => {
                let pairs = before.edges.iter().zip(&after.edges);
                for change in pairs.filter_map(|(before, after)| edge_change(before, after, stays)) {
                    add(&mut found, change);
                }
            }
            after => {
                if let Some(change) = anchor_change(Some(before), after) {
                    add(&mut found, change);
                }
            }
        }
    }
    for after in
        new_anchors.iter().filter(|after| !old_anchors.iter().any(|before| before.key() == after.key()))
    {
        if let Some(change) = anchor_change(None, Some(after)) {
            add(&mut found, change);
        }
    }
    found
}

/// The anchors of `edges`, which stand together in them.
fn anchors(edges: &[Edge]) -> Vec<Anchor<'_>> {
    let mut anchors: Vec<Anchor<'_>> = Vec::new();
    for edge in edges {
        let key = Some((edge.region.as_str(), edge.anchor.as_str()));
        match anchors.iter_mut().find(|anchor| anchor.key() == key) {
            Some(anchor) => anchor.edges.push(edge),
            None => anchors.push(Anchor { edges: vec![edge] }),
        }
    }
    anchors
}

impl Anchor<'_> {
    fn key(&self) -> Option<(&str, &str)> {
        self.edges.first().map(|edge| (edge.region.as_str(), edge.anchor.as_str()))
    }

    fn sources(&self) -> Vec<&str> {
        self.edges.iter().map(|edge| edge.source.as_str()).collect()
    }

    /// `x + attn.o`; of a linear map, as at its port.
    fn text(&self) -> String {
        if let [edge] = self.edges.as_slice() {
            return edge.text();
        }
        let terms: Vec<String> = self.edges.iter().map(|edge| edge.full_text()).collect();
        let separator = match self.edges.first().map_or(Joint::None, |edge| edge.joint) {
            Joint::Sum => " + ",
            Joint::Product => " ⊙ ",
            Joint::None => ", ",
        };
        terms.join(separator)
    }

    /// The sources and the ops on the ways from them.
    fn ops(&self) -> Vec<&str> {
        let skeletons = self.edges.iter().map(|edge| edge.skeleton());
        skeletons.flat_map(|(source, ops)| std::iter::once(source).chain(ops)).collect()
    }
}

/// `stays` tells the scale vectors that both models have, which must be applied alike for the function to be the same.
fn edge_change(before: &Edge, after: &Edge, stays: impl Fn(&str) -> bool) -> Option<PlacementChange> {
    let has_same_ops = before.skeleton() == after.skeleton();
    if has_same_ops && before.text() == after.text() {
        return None;
    }
    let is_only_scales = has_same_ops
        && before.factors().eq(after.factors())
        && before.scale_paths(&stays) == after.scale_paths(&stays);
    let (place, port) = match &before.port {
        Port::In(part) => (part, "in"),
        Port::Out(part) => (part, "out"),
        Port::Term(value) => (value, ""),
    };
    let (_, ops_before) = before.skeleton();
    let (_, ops_after) = after.skeleton();
    Some(PlacementChange {
        region: before.region.clone(),
        places: vec![place.clone()],
        port,
        before: Some(before.text()),
        after: Some(after.text()),
        ops_came: beyond(&ops_after, &ops_before),
        ops_went: beyond(&ops_before, &ops_after),
        class: if is_only_scales { Class::FunctionPreserving } else { Class::CheckpointCompatible },
    })
}

fn anchor_change(before: Option<&Anchor<'_>>, after: Option<&Anchor<'_>>) -> Option<PlacementChange> {
    let (region, anchor) = before.or(after).and_then(Anchor::key)?;
    let is_linear = |anchor: &&Anchor<'_>| anchor.edges.iter().any(|edge| matches!(edge.port, Port::In(_)));
    let ops_before = before.map(Anchor::ops).unwrap_or_default();
    let ops_after = after.map(Anchor::ops).unwrap_or_default();
    Some(PlacementChange {
        region: region.to_owned(),
        places: vec![anchor.to_owned()],
        port: if before.or(after).as_ref().is_some_and(is_linear) { "in" } else { "" },
        before: before.map(Anchor::text),
        after: after.map(Anchor::text),
        ops_came: beyond(&ops_after, &ops_before),
        ops_went: beyond(&ops_before, &ops_after),
        class: Class::CheckpointCompatible,
    })
}

/// The words of `ops` that `others` has not, as often as it has them more.
fn beyond(ops: &[&str], others: &[&str]) -> Vec<String> {
    let mut known = others.to_vec();
    let mut beyond = Vec::new();
    for op in ops {
        match known.iter().position(|known| known == op) {
            Some(index) => {
                known.remove(index);
            }
            None => beyond.push((*op).to_owned()),
        }
    }
    beyond
}

fn add(found: &mut Vec<PlacementChange>, change: PlacementChange) {
    let is_alike = |known: &PlacementChange| {
        PlacementChange { places: change.places.clone(), ..known.clone() } == change
    };
    match found.iter().position(is_alike).and_then(|index| found.get_mut(index)) {
        Some(known) => known.places.extend(change.places),
        None => found.push(change),
    }
}

/// `attn.{q, k, v} out`
pub(super) fn place(places: &[String], port: &str) -> String {
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    let joined = paths::joined(&places).join(", ");
    if port.is_empty() { joined } else { format!("{joined} {port}") }
}
