//! Declared parts in; parts with every setting read and what their kind puts at their own place, out.

use super::draft::{Given, PartDraft};
use super::number::{EMBED_WIDTH, Scope};
use super::resolved::{Axis, Part, PartSetting, Place, SettingValue, Stage, StageNormalize, StageScale};
use super::told::Told;
use super::uses::Use;
use super::{setting, setting::LARGEST_COUNT};
use crate::lower::part::{self, NormVectors, Own, PartKind, Preset, Setting, Takes, UNEMBED};
use crate::{PerLayer, ScaleForm};
use std::collections::{BTreeMap, BTreeSet};
use svspec_diagnostics::{Diagnostic, Span, did_you_mean};
use svspec_syntax::ast::Expr;

/// Names that no part may have: the model has them already, or rules select by them.
const TAKEN: [&str; 12] = [
    "embed",
    "unembed",
    "x",
    "tokens",
    "layer",
    "layers",
    "weight",
    "embedding",
    "scale",
    "bias",
    "router",
    "all",
];

/// Settings of a part that give values their shapes.
pub type Sizes = BTreeMap<&'static str, PartSetting>;

/// Every part, read.
pub struct Parts {
    /// As where it is used first, with a number for each layer where a setting allows for that.
    pub all: Vec<Part>,
    /// By part, of those whose sizes differ with the depth: its sizes at each depth, from 0, at which it is used.
    pub sizes: BTreeMap<usize, BTreeMap<usize, Sizes>>,
}

/// Every declared part, and `unembed`, without its settings. A part of an unknown kind is reported and left out.
pub fn declared(scope: &mut Scope<'_>, model: Span) -> Vec<Part> {
    let draft = scope.draft;
    let mut parts: Vec<Part> = draft.parts.iter().filter_map(|declared| bare(scope, declared)).collect();
    unknown_settings(scope);
    parts.push(Part {
        name: "unembed".to_owned(),
        kind: UNEMBED,
        span: model,
        settings: BTreeMap::new(),
        stages: BTreeMap::new(),
    });
    parts
}

/// Reads the settings of all parts wherever they are used.
pub fn parts(scope: &mut Scope<'_>, declared: Vec<Part>, uses: &[Use], width: Option<usize>) -> Parts {
    let mut sizes = BTreeMap::new();
    let mut all = Vec::new();
    for (index, (bare, place)) in declared.into_iter().zip(uses).enumerate() {
        let (mut part, of_depths) = everywhere(scope, &bare, place, width);
        if let Some(of_depths) = of_depths {
            sizes.insert(index, of_depths);
        }
        own_stage(&mut part);
        all.push(part);
    }
    Parts { all, sizes }
}

/// A part, and its sizes at each depth if they differ.
fn everywhere(
    scope: &mut Scope<'_>,
    bare: &Part,
    place: &Use,
    width: Option<usize>,
) -> (Part, Option<BTreeMap<usize, Sizes>>) {
    let faults = scope.findings.len();
    scope.outsider = place.is_outside().then(|| bare.name.clone());
    let (part, differs) = scope.in_layer(place.first(), |scope| read(scope, bare, width));
    scope.outsider = None;
    let depths = match place {
        Use::Layers(depths) if differs && !depths.is_empty() => depths,
        Use::Outside | Use::Layers(_) => return (part, None),
    };
    scope.findings.truncate(faults);
    let mut told = Told::default();
    let mut found = Vec::new();
    for &depth in depths {
        let (part, _) = scope.in_layer(Some(depth), |scope| read(scope, bare, width));
        told.add(depth, scope.findings.split_off(faults));
        found.push((depth, part));
    }
    scope.findings.extend(told.findings());
    let num_layers = scope.num_layers.unwrap_or(0);
    joined(part, &found, num_layers)
}

/// The readings of one part as one part, each with its depth.
fn joined(first: Part, found: &[(usize, Part)], num_layers: usize) -> (Part, Option<BTreeMap<usize, Sizes>>) {
    let mut part = first;
    for setting in part.kind.settings.iter().filter(|setting| setting.is_per_layer()) {
        let Some(known) = part.settings.get_mut(setting.name) else { continue };
        let mut values = vec![0.0; num_layers];
        for (depth, other) in found {
            if let (Some(slot), Some(value)) = (values.get_mut(*depth), other.number(setting.name)) {
                *slot = value;
            }
        }
        let mut read = found.iter().filter_map(|(depth, _)| values.get(*depth));
        let first = read.next().copied();
        if first.is_some_and(|first| read.any(|value| value.total_cmp(&first).is_ne())) {
            known.value = SettingValue::Each(values);
        }
    }
    let sizes_of = |part: &Part| -> Sizes {
        let settings = part.kind.settings.iter().filter(|setting| !setting.is_per_layer());
        settings.filter_map(|one| Some((one.name, part.settings.get(one.name)?.clone()))).collect()
    };
    let own = sizes_of(&part);
    let sizes: BTreeMap<usize, Sizes> = found.iter().map(|(depth, part)| (*depth, sizes_of(part))).collect();
    let differ = sizes.values().any(|sizes| *sizes != own);
    (part, differ.then_some(sizes))
}

fn bare(scope: &mut Scope<'_>, declared: &PartDraft<'_>) -> Option<Part> {
    let name = &declared.name.text;
    let own_name = name.rsplit('.').next().unwrap_or(name);
    if TAKEN.contains(&own_name) {
        scope.findings.push(
            Diagnostic::error(
                "duplicate-name",
                format!("a part cannot be called `{own_name}`: the word has a meaning already"),
            )
            .at(declared.name.span, "taken")
            .help(format!("call it something else, such as `{own_name}_part`")),
        );
        return None;
    }
    let Some(kind) = part::kind(&declared.kind.text) else {
        let defined = scope.draft.kinds.iter().copied();
        let kinds: Vec<&str> = part::KINDS.iter().map(|kind| kind.name).chain(defined).collect();
        let kind = &declared.kind.text;
        let mut finding =
            Diagnostic::error("unknown-part-kind", format!("there is no kind of part called `{kind}`"))
                .at(declared.kind.span, format!("the kind of `{name}`"));
        if let Some(close) = did_you_mean(kind, kinds.iter().copied()) {
            finding = finding.help(format!("did you mean `{close}`?"));
        }
        scope.findings.push(finding.help(format!("kinds: {}", super::list(&kinds))));
        return None;
    };
    Some(Part {
        name: name.clone(),
        kind,
        span: declared.name.span,
        settings: BTreeMap::new(),
        stages: BTreeMap::new(),
    })
}

/// The part with its settings in the layer that is asked for.
fn read(scope: &mut Scope<'_>, bare: &Part, width: Option<usize>) -> Part {
    let mut part = bare.clone();
    for setting in part.kind.settings {
        if let Some(value) = read_setting(scope, &part, setting) {
            part.settings.insert(setting.name, value);
        }
    }
    if let Some(width) = width {
        (part.kind.check)(&part, width, &mut scope.findings);
    }
    part
}

fn read_setting(scope: &mut Scope<'_>, part: &Part, setting: &Setting) -> Option<PartSetting> {
    let path = format!("{}.{}", part.name, setting.name);
    if setting.block().is_some_and(|block| is_taken_away(scope, part, block)) {
        return None;
    }
    match scope.draft.settings.get(&path).copied() {
        Some(entry) => match entry.given {
            Given::Value(expr) => once(scope, |scope| written(scope, setting, &path, expr)),
            Given::Present => match setting.takes {
                Takes::Block => {
                    Some(PartSetting { value: SettingValue::Present, span: Some(entry.name_span) })
                }
                Takes::Count
                | Takes::CountFromZero
                | Takes::Number(_)
                | Takes::Numbers(_)
                | Takes::CountPerLayer
                | Takes::NumberPerLayer(_)
                | Takes::Word(_)
                | Takes::Part => {
                    let message = format!("`{}` of `{}` has no value", setting.name, part.name);
                    scope.findings.push(
                        Diagnostic::error("missing-setting", message)
                            .at(entry.name_span, "needs a value")
                            .help(format!("write `{} = …`: {}", setting.name, setting.summary)),
                    );
                    None
                }
            },
        },
        None => preset(scope, part, setting),
    }
}

/// Whether the block, or one that it stands in, is written as `none`.
fn is_taken_away(scope: &Scope<'_>, part: &Part, block: &str) -> bool {
    let is_none = |block: &str| match scope.draft.settings.get(&format!("{}.{block}", part.name)) {
        Some(entry) => match entry.given {
            Given::Value(expr) => setting::is_none(expr),
            Given::Present => false,
        },
        None => false,
    };
    is_none(block) || block.rsplit_once('.').is_some_and(|(outer, _)| is_taken_away(scope, part, outer))
}

/// Several parts may share one written value: what is wrong with it is said of the first.
fn once<T>(scope: &mut Scope<'_>, read: impl FnOnce(&mut Scope<'_>) -> T) -> T {
    let place = |finding: &Diagnostic| (finding.name, finding.primary.as_ref().map(|label| label.span));
    let before = scope.findings.len();
    let value = read(scope);
    let new = scope.findings.split_off(before);
    for finding in new {
        if !scope.findings.iter().any(|known| place(known) == place(&finding)) {
            scope.findings.push(finding);
        }
    }
    value
}

fn written(scope: &mut Scope<'_>, setting: &Setting, path: &str, expr: &Expr) -> Option<PartSetting> {
    let optional = matches!(setting.preset, Preset::Absent);
    if optional && setting::is_none(expr) {
        return None;
    }
    let value = match setting.takes {
        Takes::Count | Takes::CountPerLayer => {
            let count = setting::count(scope, path, expr, LARGEST_COUNT)?;
            // Marks the value as known to expressions that name it.
            SettingValue::Number(count as f64)
        }
        Takes::CountFromZero => {
            let value = scope.number(expr)?;
            let count = setting::whole_from_zero(scope, path, value, expr.span, LARGEST_COUNT)?;
            SettingValue::Number(count as f64)
        }
        Takes::Number(range) | Takes::NumberPerLayer(range) => {
            SettingValue::Number(setting::real(scope, path, expr, range)?)
        }
        Takes::Numbers(range) => SettingValue::Several(setting::numbers(scope, path, expr, range)?),
        Takes::Word(words) => SettingValue::Word(setting::word(scope, path, expr, words)?),
        Takes::Block => {
            if setting::bare_word(expr).as_deref() != Some("on") {
                setting::word(scope, path, expr, &["on", "none"])?;
            }
            SettingValue::Present
        }
        Takes::Part => {
            setting::part_name(scope, path, expr);
            SettingValue::Present
        }
    };
    Some(PartSetting { value, span: Some(expr.span) })
}

fn preset(scope: &mut Scope<'_>, part: &Part, setting: &Setting) -> Option<PartSetting> {
    let value = match setting.preset {
        // Of a block that is not there nothing is asked.
        Preset::Required if setting.block().is_some_and(|block| !part.has(block)) => return None,
        Preset::Required => {
            let message = format!("`{}` has no `{}`", part.name, setting.name);
            scope.findings.push(
                Diagnostic::error("missing-setting", message)
                    .at(part.span, format!("a part of kind `{}`", part.kind.name))
                    .help(format!("write `{} = …` between its braces ({})", setting.name, setting.summary)),
            );
            return None;
        }
        Preset::Absent => {
            // `attn.rope.theta = 1e6` asks for rotary positions.
            let inner = format!("{}.{}.", part.name, setting.name);
            let entry = scope.draft.settings.iter().find(|(path, _)| path.starts_with(&inner));
            let span = entry.map(|(_, entry)| entry.name_span)?;
            return Some(PartSetting { value: SettingValue::Present, span: Some(span) });
        }
        Preset::Inherited => return None,
        Preset::Number(value) => SettingValue::Number(value),
        Preset::Word(word) => SettingValue::Word(word),
        Preset::Derived { compute, .. } => {
            let name = part.name.clone();
            let value = compute(&mut |sibling| scope.sibling(&name, sibling, part.span))?;
            match setting.takes {
                Takes::Count | Takes::CountPerLayer => {
                    // Its parts were checked, or will be reported where they are written.
                    if value < 1.0 || value.fract() != 0.0 || value > LARGEST_COUNT {
                        return None;
                    }
                }
                Takes::CountFromZero
                | Takes::Number(_)
                | Takes::Numbers(_)
                | Takes::NumberPerLayer(_)
                | Takes::Word(_)
                | Takes::Block
                | Takes::Part => {}
            }
            SettingValue::Number(value)
        }
    };
    Some(PartSetting { value, span: None })
}

/// What the kind puts at the part's own place.
fn own_stage(part: &mut Part) {
    let span = part.span;
    let stage = match part.kind.own {
        Own::Nothing => return,
        Own::Norm(norm, vectors) => {
            let Some(eps) = part.per_layer("eps") else { return };
            let scale = match vectors {
                NormVectors::Scale | NormVectors::ScaleAndBias => Some(unit_scale(part)),
                NormVectors::None => None,
            };
            let bias = match vectors {
                NormVectors::ScaleAndBias if part.word("bias") == Some("on") => Some(part.place("bias")),
                NormVectors::Scale | NormVectors::ScaleAndBias | NormVectors::None => None,
            };
            Stage { normalize: Some(StageNormalize { norm, axis: Axis::Full, eps }), scale, bias, span }
        }
        Own::Scale => {
            let Some(init) = part.per_layer("init") else { return };
            Stage { normalize: None, scale: Some(StageScale { init, ..unit_scale(part) }), bias: None, span }
        }
    };
    part.stages.insert(Place::Own, stage);
}

/// A scale vector as a part has it before any placement.
pub fn unit_scale(part: &Part) -> StageScale {
    StageScale {
        extent: PartKind::own_extent(part.word("size")),
        form: ScaleForm::Direct,
        init: PerLayer::Uniform(1.0),
        asserted: None,
    }
}

/// Dotted settings that no part has.
fn unknown_settings(scope: &mut Scope<'_>) {
    let draft = scope.draft;
    let mut seen = BTreeSet::new();
    for (path, entry) in &draft.settings {
        let Some((name, _)) = path.split_once('.') else { continue };
        if path == EMBED_WIDTH {
            continue;
        }
        if let Some(setting) = path.strip_prefix("unembed.")
            && UNEMBED.setting_names().contains(&setting)
        {
            continue;
        }
        let Some((declared, setting)) = draft.part_of(path) else {
            // What a part of a defined kind has was checked where its definition was expanded.
            if draft.composite_of(path).is_some() {
                continue;
            }
            let finding = super::unknown_part(draft, name, entry.name_span);
            scope.findings.push(finding);
            continue;
        };
        // A part of an unknown kind was reported.
        let Some(kind) = part::kind(&declared.kind.text) else { continue };
        let names = kind.setting_names();
        // Parts that are declared together share their settings, and their faults.
        if names.contains(&setting) || !seen.insert(entry.name_span) {
            continue;
        }
        let name = &declared.name.text;
        let message = format!("`{name}` has no setting called `{setting}`");
        let mut finding = Diagnostic::error("unknown-setting", message)
            .at(entry.name_span, "unknown")
            .because(declared.name.span, format!("`{name}` is a part of kind `{}`", kind.name));
        if let Some(close) = did_you_mean(setting, names.iter().copied()) {
            finding = finding.help(format!("did you mean `{close}`?"));
        }
        let has = |other: &&&part::PartKind| other.setting_names().contains(&setting);
        let others: Vec<&str> = part::KINDS.iter().filter(has).map(|kind| kind.name).collect();
        if !others.is_empty() {
            finding = finding.help(format!("`{setting}` is a setting of {}", super::list(&others)));
        }
        // Of a block such as `rope`, what stands in it is enough.
        let block = setting.rsplit_once('.').map_or("", |(block, _)| block);
        let within: Vec<&str> = kind
            .settings
            .iter()
            .filter(|known| !block.is_empty() && known.block() == Some(block))
            .map(|known| known.name)
            .collect();
        let (of, listed) = if within.is_empty() { (kind.name, &names) } else { (block, &within) };
        scope.findings.push(finding.help(format!("settings of `{of}`: {}", super::list(listed))));
    }
}
