//! A diff as titled tables, which the text and the Markdown lay out.

use super::treatment::{InitChange, Treatment, TreatmentChange};
use super::{
    Class, Diff, PlacementChange, ScaleChange, ScaleSummary, SettingChange, SizeChange, TensorChange,
};
use crate::print::number::{relative, shortest};
use crate::print::{ir, roles};

/// One section: only there if it has rows.
pub(super) struct Section {
    /// With the class of its changes, if they have one in common.
    pub title: String,
    /// The columns' names, for layouts that show them.
    pub header: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
    /// For each row, a line below it; empty where there is nothing to say.
    pub notes: Vec<String>,
    /// The name of the notes' column, for layouts that show it.
    pub note: &'static str,
}

/// One change, to be laid out.
struct Entry {
    cells: Vec<String>,
    note: String,
    /// `None`: a consequence, which has no class of its own.
    class: Option<Class>,
}

/// The sections of `diff` in which something changed.
pub(super) fn sections(diff: &Diff) -> Vec<Section> {
    let placement = diff.placement.iter().map(|change| placement(diff, change)).collect();
    let all = [
        section("Settings", &["setting", "change"], "", diff.settings.iter().map(setting).collect()),
        section("Placement", &["where", "change"], "", placement),
        section("Tensors", &["", "tensor", "shape"], "", diff.tensors.iter().map(tensor).collect()),
        section(
            "Scale vectors",
            &["", "vector", "γ", "role", "form", "decay"],
            "old value",
            diff.scales.iter().map(scale).collect(),
        ),
        section("Groups", &["tensors", "change"], "rule", diff.groups.iter().map(group).collect()),
        section("Init", &["tensors", "change"], "rule", diff.init.iter().map(init).collect()),
        section("Training", &["setting", "change"], "", diff.training.iter().map(setting).collect()),
        section("Size", &["quantity", "change", "relative"], "", diff.sizes.iter().map(size).collect()),
    ];
    all.into_iter().filter(|section| !section.rows.is_empty()).collect()
}

/// A class that all entries share goes to the title, else each gets a cell for its own.
fn section(title: &str, header: &[&'static str], note: &'static str, entries: Vec<Entry>) -> Section {
    let shared = entries.first().and_then(|first| first.class);
    let is_shared = entries.iter().all(|entry| entry.class == shared);
    let title = match shared.filter(|_| is_shared) {
        Some(class) => format!("{title}: {}", class.word()),
        None => title.to_owned(),
    };
    let mut header = header.to_vec();
    if !is_shared {
        header.push("class");
    }
    let (mut rows, mut notes) = (Vec::new(), Vec::new());
    for Entry { mut cells, note, class } in entries {
        if !is_shared {
            cells.push(class.map_or("", Class::word).to_owned());
        }
        rows.push(cells);
        notes.push(note);
    }
    Section { title, header, rows, notes, note }
}

fn setting(change: &SettingChange) -> Entry {
    let value = arrow(Some(change.before.clone()), Some(change.after.clone()));
    Entry { cells: vec![change.name.clone(), value], note: String::new(), class: Some(change.class) }
}

/// The region is named only where changes are in several.
fn placement(diff: &Diff, change: &PlacementChange) -> Entry {
    let has_one_region = diff.placement.iter().all(|other| other.region == change.region);
    let region = if has_one_region { String::new() } else { format!("{}: ", change.region) };
    let place = super::placement::place(&change.places, change.port);
    let before = change.before.clone().unwrap_or_else(|| "(not there)".to_owned());
    let after = change.after.clone().unwrap_or_else(|| "(gone)".to_owned());
    let cells = vec![format!("{region}{place}"), arrow(Some(before), Some(after))];
    Entry { cells, note: String::new(), class: Some(change.class) }
}

fn tensor(change: &TensorChange) -> Entry {
    let sign = sign(change.before.is_some(), change.after.is_some());
    let shape = arrow(change.before.clone(), change.after.clone());
    Entry { cells: vec![sign, change.paths.clone(), shape], note: String::new(), class: Some(change.class) }
}

/// A vector that came has no old value to note.
fn scale(change: &ScaleChange) -> Entry {
    let both = |of: fn(&ScaleSummary) -> String| {
        arrow(change.before.as_ref().map(of), change.after.as_ref().map(of))
    };
    let cells = vec![
        sign(change.before.is_some(), change.after.is_some()),
        change.paths.clone(),
        both(shape),
        both(role),
        both(|summary| ir::form(summary.form).to_owned()),
        both(|summary| summary.decay.clone()),
    ];
    let note = if change.before.is_some() { change.reason.clone() } else { String::new() };
    Entry { cells, note, class: Some(change.class) }
}

fn group(change: &TreatmentChange) -> Entry {
    let treatment = treatment(&change.before, &change.after);
    Entry {
        cells: vec![counted(&change.paths, change.num_tensors), treatment],
        note: change.rules.join(", "),
        class: Some(change.class),
    }
}

fn init(change: &InitChange) -> Entry {
    let init = arrow(Some(change.before.clone()), Some(change.after.clone()));
    Entry {
        cells: vec![counted(&change.paths, change.num_tensors), init],
        note: change.rule.clone().unwrap_or_else(|| "by default".to_owned()),
        class: Some(change.class),
    }
}

fn size(change: &SizeChange) -> Entry {
    let text = |number| change.quantity.text(number);
    let cells = vec![
        change.quantity.word().to_owned(),
        format!("{} → {}", text(change.before), text(change.after)),
        relative(change.before, change.after),
    ];
    Entry { cells, note: String::new(), class: None }
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
        ("optimizer", before.optimizer.clone(), after.optimizer.clone()),
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
