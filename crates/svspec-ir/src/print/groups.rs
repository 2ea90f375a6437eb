//! The parameter groups: what the optimizer does to each, the rules that made it, and its tensors.

use super::number::{grouped, shortest};
use super::table::{Align, row, table};
use super::{FORMAT_VERSION, paths, resolved};
use crate::dim::num_elements;
use crate::group::RuleText;
use crate::{Algorithm, CheckedModel, Group, Optimizer, Unit};
use serde::Serialize;

/// The groups of a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupsView {
    /// The layout's version.
    pub format_version: u32,
    /// The model's name.
    pub model: String,
    /// In the order of their decay rules.
    pub groups: Vec<GroupView>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupView {
    /// Its name.
    pub name: String,
    /// What steps it, with what rules add: `muon`, `adamw, betas (0.9, 0.99)`, `adamw, unit rows`.
    pub optimizer: String,
    /// The peak learning rate.
    pub lr: f64,
    /// Weight decay.
    pub decay: f64,
    /// What rules multiply the learning rate by; it is in `lr`.
    pub lr_multiplier: f64,
    /// Whether clipping applies.
    pub clipped: bool,
    /// The rules that made it, decay's first.
    pub rules: Vec<RuleText>,
    /// The names of its tensors.
    pub tensors: Vec<String>,
    /// The paths of its tensors' templates, those that differ in one segment only joined.
    pub paths: Vec<String>,
    /// The number of entries of all of them.
    pub num_entries: u64,
}

/// The groups of `checked` as data.
pub fn view(checked: &CheckedModel) -> GroupsView {
    GroupsView {
        format_version: FORMAT_VERSION,
        model: checked.model().name.clone(),
        groups: checked.groups().iter().map(|group| group_view(checked, group)).collect(),
    }
}

fn group_view(checked: &CheckedModel, group: &Group) -> GroupView {
    let model = checked.model();
    let params = || group.members.iter().filter_map(|member| model.params.get(member.param.0));
    let templates: Vec<&str> = params().map(|param| param.path.as_str()).collect();
    GroupView {
        name: group.name.clone(),
        optimizer: stepping(group.algorithm, group.unit, &model.optimizer),
        lr: model.optimizer.peak(group.algorithm) * group.lr_multiplier,
        decay: group.decay,
        lr_multiplier: group.lr_multiplier,
        clipped: group.clipped,
        rules: group.rules.iter().filter_map(|&rule| checked.rules().get(rule).cloned()).collect(),
        tensors: group.members.iter().map(|&member| model.instance_name(member)).collect(),
        paths: paths::joined(&templates),
        num_entries: params().map(|param| num_elements(&param.dims) as u64).sum(),
    }
}

/// The groups of `checked` as text.
pub fn groups(checked: &CheckedModel) -> String {
    let view = view(checked);
    let header = row(["group", "optimizer", "lr", "decay", "clip", "tensors", "entries"]);
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(view.groups.iter().map(cells)).collect();
    let aligns =
        [Align::Left, Align::Left, Align::Left, Align::Right, Align::Left, Align::Right, Align::Right];
    let mut text = table("", &aligns, &rows);
    for group in &view.groups {
        text.push_str(&format!("\n{}\n", group.name));
        let rules: Vec<Vec<String>> =
            group.rules.iter().map(|rule| vec![rule.text.clone(), rule.place.clone()]).collect();
        text.push_str(&table("  ", &[Align::Left], &rules));
        if group.optimizer == Algorithm::Load.name() {
            text.push_str("  moved by the load of experts, not by the optimizer\n");
        }
        text.push_str(&wrapped("    ", &group.paths));
    }
    text
}

fn cells(group: &GroupView) -> Vec<String> {
    vec![
        group.name.clone(),
        group.optimizer.clone(),
        rate(group),
        shortest(group.decay),
        if group.clipped { "on" } else { "off" }.to_owned(),
        grouped(group.tensors.len() as u64),
        grouped(group.num_entries),
    ]
}

/// `3e-3`, and by what rules multiplied it: `1.5e-3 (0.5x)`.
fn rate(group: &GroupView) -> String {
    let lr = shortest(group.lr);
    if group.lr_multiplier.total_cmp(&1.0).is_eq() {
        lr
    } else {
        format!("{lr} ({}x)", shortest(group.lr_multiplier))
    }
}

/// What steps a tensor, with the constants that are not the block's, and what is kept at norm 1.
pub fn stepping(algorithm: Algorithm, unit: Option<Unit>, block: &Optimizer) -> String {
    let mut text = algorithm.name().to_owned();
    if let Algorithm::AdamW { betas, eps } = algorithm {
        if betas != block.betas {
            text.push_str(&format!(", betas {}", resolved::betas(betas)));
        }
        if eps.total_cmp(&block.eps).is_ne() {
            text.push_str(&format!(", eps {}", shortest(eps)));
        }
    }
    if let Some(unit) = unit {
        text.push_str(&format!(", unit {}", unit.name()));
    }
    text
}

/// Words separated by commas, in lines of at most 100 columns.
fn wrapped(indent: &str, words: &[String]) -> String {
    let mut text = String::new();
    let mut line = indent.to_owned();
    for (index, word) in words.iter().enumerate() {
        let separator = if index + 1 == words.len() { "" } else { "," };
        if line.len() > indent.len() && line.chars().count() + 1 + word.chars().count() > 98 {
            text.push_str(line.trim_end());
            text.push('\n');
            indent.clone_into(&mut line);
        }
        let space = if line.len() > indent.len() { " " } else { "" };
        line.push_str(&format!("{space}{word}{separator}"));
    }
    text.push_str(line.trim_end());
    text.push('\n');
    text
}
