//! Declared parts in; parts with every setting read and what their kind puts at their own place, out.

use super::draft::{Given, PartDraft};
use super::number::{EMBED_WIDTH, Scope};
use super::resolved::{Axis, Part, PartSetting, Place, SettingValue, Stage, StageNormalize, StageScale};
use super::{setting, setting::LARGEST_COUNT};
use crate::ScaleForm;
use crate::lower::part::{self, NormVectors, Own, PartKind, Preset, Setting, Takes, UNEMBED};
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

/// Reads every declared part, and adds `unembed`. A part of an unknown kind is reported and left out.
pub fn parts(scope: &mut Scope<'_>, width: Option<usize>, model: Span) -> Vec<Part> {
    let draft = scope.draft;
    let mut parts: Vec<Part> =
        draft.parts.iter().filter_map(|declared| read(scope, declared, width)).collect();
    unknown_settings(scope);
    let mut unembed = Part {
        name: "unembed".to_owned(),
        kind: UNEMBED,
        span: model,
        settings: BTreeMap::new(),
        stages: BTreeMap::new(),
    };
    read_settings(scope, &mut unembed);
    parts.push(unembed);
    parts
}

fn read(scope: &mut Scope<'_>, declared: &PartDraft<'_>, width: Option<usize>) -> Option<Part> {
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
    let mut part = Part {
        name: name.clone(),
        kind,
        span: declared.name.span,
        settings: BTreeMap::new(),
        stages: BTreeMap::new(),
    };
    read_settings(scope, &mut part);
    own_stage(&mut part);
    if let Some(width) = width {
        (kind.check)(&part, width, &mut scope.findings);
    }
    Some(part)
}

fn read_settings(scope: &mut Scope<'_>, part: &mut Part) {
    for setting in part.kind.settings {
        if let Some(value) = read_setting(scope, part, setting) {
            part.settings.insert(setting.name, value);
        }
    }
}

fn read_setting(scope: &mut Scope<'_>, part: &Part, setting: &Setting) -> Option<PartSetting> {
    let path = format!("{}.{}", part.name, setting.name);
    match scope.draft.settings.get(&path).copied() {
        Some(entry) => match entry.given {
            Given::Value(expr) => once(scope, |scope| written(scope, setting, &path, expr)),
            Given::Present => match setting.takes {
                Takes::Block => {
                    Some(PartSetting { value: SettingValue::Present, span: Some(entry.name_span) })
                }
                Takes::Count | Takes::CountFromZero | Takes::Number(_) | Takes::Word(_) => {
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
        Takes::Count => {
            let count = setting::count(scope, path, expr, LARGEST_COUNT)?;
            // Marks the value as known to expressions that name it.
            SettingValue::Number(count as f64)
        }
        Takes::CountFromZero => {
            let value = scope.number(expr)?;
            let count = setting::whole_from_zero(scope, path, value, expr.span, LARGEST_COUNT)?;
            SettingValue::Number(count as f64)
        }
        Takes::Number(range) => SettingValue::Number(setting::real(scope, path, expr, range)?),
        Takes::Word(words) => SettingValue::Word(setting::word(scope, path, expr, words)?),
        Takes::Block => {
            if setting::bare_word(expr).as_deref() != Some("on") {
                setting::word(scope, path, expr, &["on", "none"])?;
            }
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
                Takes::Count => {
                    // Its parts were checked, or will be reported where they are written.
                    if value < 1.0 || value.fract() != 0.0 || value > LARGEST_COUNT {
                        return None;
                    }
                }
                Takes::CountFromZero | Takes::Number(_) | Takes::Word(_) | Takes::Block => {}
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
            let Some(eps) = part.number("eps") else { return };
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
            let Some(init) = part.number("init") else { return };
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
        init: 1.0,
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
