//! A diff as titled tables, which the text and the Markdown lay out.

use super::treatment::Treatment;
use super::{Diff, PlacementChange, ScaleChange, ScaleSummary, SettingChange};
use crate::print::number::{relative, shortest};
use crate::print::{ir, roles};

/// One section: only there if it has rows.
pub(super) struct Section {
    pub title: &'static str,
    /// The columns' names, for layouts that show them.
    pub header: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
    /// For each row, a line below it; empty where there is nothing to say. No notes at all are as good as empty ones.
    pub notes: Vec<String>,
    /// The name of the notes' column, for layouts that show it.
    pub note: &'static str,
}

/// The sections of `diff` in which something changed.
pub(super) fn sections(diff: &Diff) -> Vec<Section> {
    let all = [
        Section {
            title: "Settings",
            header: vec!["setting", "change"],
            rows: settings(&diff.settings),
            notes: Vec::new(),
            note: "",
        },
        Section {
            title: "Placement",
            header: vec!["where", "change"],
            rows: diff.placement.iter().map(|change| placement(diff, change)).collect(),
            notes: Vec::new(),
            note: "",
        },
        Section {
            title: "Tensors",
            header: vec!["", "tensor", "shape"],
            rows: diff
                .tensors
                .iter()
                .map(|change| {
                    let sign = sign(change.before.is_some(), change.after.is_some());
                    vec![sign, change.paths.clone(), arrow(change.before.clone(), change.after.clone())]
                })
                .collect(),
            notes: Vec::new(),
            note: "",
        },
        Section {
            title: "Scale vectors",
            header: vec!["", "vector", "γ", "role", "form", "decay"],
            rows: diff.scales.iter().map(scale).collect(),
            notes: diff.scales.iter().map(scale_note).collect(),
            note: "old value",
        },
        Section {
            title: "Groups",
            header: vec!["tensors", "change"],
            rows: diff
                .groups
                .iter()
                .map(|change| {
                    vec![counted(&change.paths, change.num_tensors), treatment(&change.before, &change.after)]
                })
                .collect(),
            notes: diff.groups.iter().map(|change| change.rules.join(", ")).collect(),
            note: "rule",
        },
        Section {
            title: "Init",
            header: vec!["tensors", "change"],
            rows: diff
                .init
                .iter()
                .map(|change| {
                    let init = arrow(Some(change.before.clone()), Some(change.after.clone()));
                    vec![counted(&change.paths, change.num_tensors), init]
                })
                .collect(),
            notes: diff
                .init
                .iter()
                .map(|change| change.rule.clone().unwrap_or_else(|| "by default".to_owned()))
                .collect(),
            note: "rule",
        },
        Section {
            title: "Training",
            header: vec!["setting", "change"],
            rows: settings(&diff.training),
            notes: Vec::new(),
            note: "",
        },
        Section {
            title: "Size",
            header: vec!["quantity", "change", "relative"],
            rows: diff
                .sizes
                .iter()
                .map(|change| {
                    let text = |number| change.quantity.text(number);
                    vec![
                        change.quantity.word().to_owned(),
                        format!("{} → {}", text(change.before), text(change.after)),
                        relative(change.before, change.after),
                    ]
                })
                .collect(),
            notes: Vec::new(),
            note: "",
        },
    ];
    all.into_iter().filter(|section| !section.rows.is_empty()).collect()
}

fn settings(changes: &[SettingChange]) -> Vec<Vec<String>> {
    let row = |change: &SettingChange| {
        vec![change.name.clone(), arrow(Some(change.before.clone()), Some(change.after.clone()))]
    };
    changes.iter().map(row).collect()
}

/// The region is named only where there are several kinds of layer, or where it is not a layer.
fn placement(diff: &Diff, change: &PlacementChange) -> Vec<String> {
    let has_one_region = diff.placement.iter().all(|other| other.region == change.region);
    let region = if has_one_region { String::new() } else { format!("{}: ", change.region) };
    let before = change.before.clone().unwrap_or_else(|| "(not there)".to_owned());
    let after = change.after.clone().unwrap_or_else(|| "(gone)".to_owned());
    vec![
        format!("{region}{}", super::placement::place(&change.places, change.port)),
        arrow(Some(before), Some(after)),
    ]
}

fn scale(change: &ScaleChange) -> Vec<String> {
    let sign = sign(change.before.is_some(), change.after.is_some());
    let both = |of: fn(&ScaleSummary) -> String| {
        arrow(change.before.as_ref().map(of), change.after.as_ref().map(of))
    };
    vec![
        sign,
        change.paths.clone(),
        both(shape),
        both(role),
        both(|summary| ir::form(summary.form).to_owned()),
        both(|summary| summary.decay.clone()),
    ]
}

/// Where the old value goes; a vector that came has none.
fn scale_note(change: &ScaleChange) -> String {
    if change.before.is_some() { change.reason.clone() } else { String::new() }
}

fn shape(summary: &ScaleSummary) -> String {
    let sizes: Vec<String> = summary.shape.iter().map(ToString::to_string).collect();
    let layers = match summary.num_layers {
        0 => String::new(),
        layers => format!(" × {layers}"),
    };
    format!("[{}]{layers}", sizes.join(", "))
}

fn role(summary: &ScaleSummary) -> String {
    let folds = if summary.absorbable { ", folds" } else { "" };
    format!("{}{folds}", roles::role(summary.role))
}

/// The parts of the treatment that differ.
fn treatment(before: &Treatment, after: &Treatment) -> String {
    let clip = |treatment: &Treatment| if treatment.clipped { "on" } else { "off" }.to_owned();
    let parts = [
        ("decay", shortest(before.decay), shortest(after.decay)),
        ("lr", shortest(before.lr_multiplier), shortest(after.lr_multiplier)),
        ("clip", clip(before), clip(after)),
    ];
    let changed = parts.into_iter().filter(|(_, before, after)| before != after);
    changed.map(|(name, before, after)| format!("{name} {before} → {after}")).collect::<Vec<_>>().join(", ")
}

fn counted(paths: &str, num_tensors: usize) -> String {
    if num_tensors == 1 { paths.to_owned() } else { format!("{paths} ({num_tensors})") }
}

fn sign(was: bool, is: bool) -> String {
    match (was, is) {
        (false, _) => "+",
        (true, false) => "-",
        (true, true) => "~",
    }
    .to_owned()
}

/// `before → after`; the value alone where it did not change or there is only one.
fn arrow(before: Option<String>, after: Option<String>) -> String {
    match (before, after) {
        (Some(before), Some(after)) if before != after => format!("{before} → {after}"),
        (Some(value), _) | (None, Some(value)) => value,
        (None, None) => String::new(),
    }
}
