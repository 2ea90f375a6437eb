//! Numbers that changed: of the architecture, of the optimizer, of training.

use super::Class;
use crate::op::Attribute;
use crate::print::resolved::{self, Setting};
use crate::print::{self, paths};
use crate::{Model, Op, RegionId};
use serde::Serialize;
use std::collections::BTreeMap;

/// A setting that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingChange {
    /// Its name: `attn.{q, k}.theta`.
    pub name: String,
    /// Its old value; `none` where it was not set.
    pub before: String,
    /// Its new value.
    pub after: String,
    /// What it means for a checkpoint.
    pub class: Class,
}

/// The settings of the architecture that differ: of the model as a whole, then of its ops.
pub(super) fn architecture(old: &Model, new: &Model) -> Vec<SettingChange> {
    let mut changes = of_lists(&resolved::shape(old), &resolved::shape(new), |name| match name {
        // No tensor and no op depends on it.
        "context" => Class::FunctionPreserving,
        "document_end" => Class::CheckpointCompatible,
        _ => Class::Breaking,
    });
    changes.extend(of_ops(old, new));
    changes
}

/// The settings of the optimizer and of training that differ.
pub(super) fn training(old: &Model, new: &Model) -> Vec<SettingChange> {
    let settings = |model: &Model| {
        let mut settings = resolved::optimizer(&model.optimizer);
        settings.extend(resolved::train(&model.train));
        settings
    };
    of_lists(&settings(old), &settings(new), |_| Class::FunctionPreserving)
}

fn of_lists(old: &[Setting], new: &[Setting], class: impl Fn(&str) -> Class) -> Vec<SettingChange> {
    let value_in = |settings: &[Setting], name: &str| {
        let found = settings.iter().find(|setting| setting.name == name);
        found.map_or_else(|| "none".to_owned(), |setting| setting.value.clone())
    };
    let only_new = new.iter().filter(|setting| !old.iter().any(|other| other.name == setting.name));
    let names = old.iter().chain(only_new).map(|setting| setting.name.as_str());
    names
        .map(|name| SettingChange {
            name: name.to_owned(),
            before: value_in(old, name),
            after: value_in(new, name),
            class: class(name),
        })
        .filter(|change| change.before != change.after)
        .collect()
}

/// An op across models: its region, its part or name, its kind, and which of several such it is.
type OpKey = (String, String, &'static str, usize);

fn of_ops(old: &Model, new: &Model) -> Vec<SettingChange> {
    let (old_order, old_ops) = op_settings(old);
    let (_, new_ops) = op_settings(new);
    let mut found: Vec<(SettingChange, Vec<String>)> = Vec::new();
    for key in &old_order {
        let (Some(before), Some(after)) = (old_ops.get(key), new_ops.get(key)) else { continue };
        let mut names: Vec<&'static str> = before.keys().chain(after.keys()).copied().collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let value = |settings: &BTreeMap<&str, String>| {
                settings.get(name).cloned().unwrap_or_else(|| "none".to_owned())
            };
            let (before, after) = (value(before), value(after));
            if before == after {
                continue;
            }
            let change =
                SettingChange { name: name.to_owned(), before, after, class: Class::CheckpointCompatible };
            match found.iter_mut().find(|(known, _)| *known == change) {
                Some((_, parts)) => parts.push(key.1.clone()),
                None => found.push((change, vec![key.1.clone()])),
            }
        }
    }
    found
        .into_iter()
        .map(|(change, parts)| {
            let names: Vec<String> = parts.iter().map(|part| format!("{part}.{}", change.name)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            SettingChange { name: paths::joined(&names).join(", "), ..change }
        })
        .collect()
}

type OpSettings = BTreeMap<OpKey, BTreeMap<&'static str, String>>;

fn op_settings(model: &Model) -> (Vec<OpKey>, OpSettings) {
    let mut order: Vec<OpKey> = Vec::new();
    let mut settings = OpSettings::new();
    let mut by_layer: BTreeMap<(OpKey, &'static str), BTreeMap<Option<usize>, String>> = BTreeMap::new();
    for (index, region) in model.regions.iter().enumerate() {
        let mut seen: Vec<OpKey> = Vec::new();
        let layers = paths::layers_of(model, RegionId(index));
        let depths: Vec<Option<usize>> =
            if layers.is_empty() { vec![None] } else { layers.into_iter().map(Some).collect() };
        for node in &region.nodes {
            let owner = if node.part.is_empty() { &node.name } else { &node.part };
            let kind = node.op.operation().name();
            let is_alike = |key: &&OpKey| key.1 == *owner && key.2 == kind;
            let key = (region.family.clone(), owner.clone(), kind, seen.iter().filter(is_alike).count());
            seen.push(key.clone());
            settings.entry(key.clone()).or_default();
            if !order.contains(&key) {
                order.push(key.clone());
            }
            for depth in &depths {
                for (name, value) in numbers(&node.op, node, depth.as_slice()) {
                    by_layer.entry((key.clone(), name)).or_default().insert(*depth, value);
                }
            }
        }
    }
    for ((key, name), values) in by_layer {
        let mut values: Vec<String> = values.into_values().collect();
        if values.iter().all(|value| Some(value) == values.first()) {
            values.truncate(1);
        }
        settings.entry(key).or_default().insert(name, values.join(" "));
    }
    (order, settings)
}

/// The attributes that are numbers; which statistic a normalisation uses, over what, is part of the placement.
fn numbers(op: &Op, node: &crate::Node, layers: &[usize]) -> Vec<Attribute> {
    let attributes = print::op::attributes(op, &node.dims, layers).into_iter();
    let numbers = attributes.filter(|(name, _)| !matches!(*name, "rms" | "layer" | "from"));
    let qualified = |(name, value)| match name {
        "theta" => ("rope.theta", value),
        "rotary_dim" => ("rope.rotary_dim", value),
        "layout" => ("rope.layout", value),
        "linear" => ("rope.linear", value),
        "llama3" => ("rope.llama3", value),
        "yarn" => ("rope.yarn", value),
        _ => (name, value),
    };
    numbers.map(qualified).collect()
}
