//! Declared parts of kinds that files define in; the parts, settings, placements and equations that they stand for, out.
//!
//! What stands in a definition is copied for each part of that kind: `scale gain` of the kind `dyt` becomes the part
//! `attn_norm.gain` where `dyt attn_norm` is declared. What is written outside of the definition wins.

mod definition;
mod substitute;
mod unread;

use super::draft::{Draft, Entry, Given, PartDraft, PlacementDraft};
use super::list;
use crate::lower::part::{self, Takes};
use crate::program::Program;
use definition::{Definition, definition};
use std::collections::BTreeMap;
use substitute::Substitution;
use svspec_diagnostics::{Diagnostic, Span, did_you_mean};
use svspec_syntax::ast::{Expr, Form, Ident};

/// No target has more parts by way of definitions, and no layer applies more of them.
pub const MOST_PARTS: usize = 4096;

/// What the definitions come to in one target; the draft borrows from it.
#[derive(Debug, Default)]
pub struct Expansion {
    parts: Vec<ExpandedPart>,
    settings: Vec<ExpandedSetting>,
    placements: Vec<(Ident, Form)>,
    composites: BTreeMap<String, Composite>,
    faulty: Vec<String>,
    kinds: Vec<String>,
}

/// A part of a kind that a file defines.
#[derive(Debug)]
pub struct Composite {
    /// Its kind.
    pub kind: String,
    /// Where it is declared.
    pub span: Span,
    /// The block that declares it.
    pub block: usize,
    /// What its equations call the values that it is applied to.
    pub inputs: Vec<String>,
    /// The names by which messages ask for these.
    pub input_names: Vec<String>,
    /// In order; the last one's value is the result.
    pub equations: Vec<CompositeEquation>,
    /// The parts that it is made of, by their names in the definition.
    pub parts: Vec<String>,
}

/// An equation of a part, with names that nothing else in the target has.
#[derive(Debug)]
pub struct CompositeEquation {
    /// What is assigned.
    pub name: String,
    /// The right side.
    pub value: Expr,
    /// Where it stands in the definition.
    pub span: Span,
}

#[derive(Debug)]
struct ExpandedPart {
    kind: Ident,
    name: Ident,
    block: usize,
}

#[derive(Debug)]
struct ExpandedSetting {
    path: String,
    value: Value,
    block: usize,
}

/// What a setting is given, by the definition or by those who use it.
#[derive(Clone, Debug)]
struct Value {
    /// `None` for a block that is there.
    expr: Option<Expr>,
    name_span: Span,
    span: Span,
}

/// Settings by their path within a part.
type Settings = BTreeMap<String, Value>;

/// Expands every part of the draft whose kind a file defines.
pub fn expand(program: &Program, draft: &Draft<'_>, findings: &mut Vec<Diagnostic>) -> Expansion {
    let mut definitions: BTreeMap<&str, Definition<'_>> = BTreeMap::new();
    for written in program.definitions() {
        // Of two of one name the first holds; the second was reported.
        if !definitions.contains_key(written.name.text.as_str()) && part::kind(&written.name.text).is_none() {
            definitions.insert(&written.name.text, definition(written, findings));
        }
    }
    let mut walk = Walk { definitions, draft, findings, out: Expansion::default(), open: Vec::new() };
    for declared in &draft.parts {
        let prefix = format!("{}.", declared.name.text);
        let given = draft.settings.iter().filter_map(|(path, entry)| {
            let inner = path.strip_prefix(&prefix)?;
            let expr = match entry.given {
                Given::Value(expr) => Some(expr.clone()),
                Given::Present => None,
            };
            Some((inner.to_owned(), Value { expr, name_span: entry.name_span, span: entry.span }))
        });
        walk.part(declared.kind, declared.name.clone(), &given.collect(), declared.block);
    }
    walk.out.kinds = walk.definitions.keys().map(|&kind| kind.to_owned()).collect();
    walk.out
}

impl<'a> Draft<'a> {
    /// The draft with its composite parts replaced by what they stand for.
    pub fn with(mut self, expansion: &'a Expansion) -> Self {
        self.faulty = expansion.faulty.iter().map(String::as_str).collect();
        self.kinds = expansion.kinds.iter().map(String::as_str).collect();
        if expansion.composites.is_empty() {
            return self;
        }
        let parts = expansion.parts.iter();
        self.parts =
            parts.map(|part| PartDraft { kind: &part.kind, name: &part.name, block: part.block }).collect();
        for setting in &expansion.settings {
            let Value { expr, name_span, span } = &setting.value;
            let given = expr.as_ref().map_or(Given::Present, Given::Value);
            let entry = Entry { given, name_span: *name_span, span: *span, block: setting.block };
            // What is there already was written outside of the definition.
            self.settings.entry(setting.path.clone()).or_insert(entry);
        }
        // A definition's placements come first, so that any other replaces them.
        let own = expansion.placements.iter().map(|(target, form)| PlacementDraft {
            target: target.text.clone(),
            span: target.span,
            form,
        });
        self.placements = own.chain(std::mem::take(&mut self.placements)).collect();
        self.composites =
            expansion.composites.iter().map(|(name, composite)| (name.clone(), composite)).collect();
        self
    }
}

struct Walk<'d, 'p, 'f> {
    definitions: BTreeMap<&'p str, Definition<'p>>,
    draft: &'d Draft<'p>,
    findings: &'f mut Vec<Diagnostic>,
    out: Expansion,
    /// The definitions around the part.
    open: Vec<(String, Span)>,
}

impl Walk<'_, '_, '_> {
    /// Adds a part, or what it stands for. `given` is what is said of it from outside.
    fn part(&mut self, kind: &Ident, name: Ident, given: &Settings, block: usize) {
        let Some(definition) = self.definitions.get(kind.text.as_str()).cloned() else {
            self.out.parts.push(ExpandedPart { kind: kind.clone(), name, block });
            return;
        };
        if let Some(start) = self.open.iter().position(|(open, _)| *open == kind.text) {
            let circle: Vec<String> =
                self.open.iter().skip(start).map(|(open, _)| format!("`{open}`")).collect();
            let message = format!("`{0}` is made of itself: {1} → `{0}`", kind.text, circle.join(" → "));
            self.findings.push(
                Diagnostic::error("part-cycle", message)
                    .at(kind.span, "this closes the circle")
                    .because(definition.written.name.span, format!("`{}` is defined here", kind.text))
                    .help("a kind of part is made of kinds that are not made of it"),
            );
            self.out.faulty.push(name.text);
            return;
        }
        if self.out.parts.len() >= MOST_PARTS {
            let message = format!("the target would have more than {MOST_PARTS} parts");
            self.findings.push(
                Diagnostic::error("too-large", message)
                    .at(kind.span, "one of too many")
                    .help("look for definitions that use one another several times"),
            );
            self.out.faulty.push(name.text);
            return;
        }
        self.open.push((kind.text.clone(), kind.span));
        self.unknown_settings(&definition, &name, given);
        self.expand(&definition, name, given, block);
        self.open.pop();
    }

    fn expand(&mut self, definition: &Definition<'_>, name: Ident, given: &Settings, block: usize) {
        let mut substitution = Substitution::new(&name.text, definition, self.draft);
        for (setting, preset) in &definition.settings {
            let preset = if let Some(value) = given.get(setting) {
                value.clone()
            } else {
                let Some(expr) = preset else {
                    self.findings.push(missing_setting(definition, &name, setting));
                    continue;
                };
                let expr = substitution.expr(expr, self.findings);
                let (name_span, span) = (expr.span, expr.span);
                let value = Value { expr: Some(expr), name_span, span };
                let path = format!("{}.{setting}", name.text);
                self.out.settings.push(ExpandedSetting { path, value: value.clone(), block });
                value
            };
            if let Some(expr) = preset.expr {
                substitution.set(setting, expr);
            }
        }
        for part in &definition.draft.parts {
            let prefix = format!("{}.", part.name.text);
            let mut inner: Settings = BTreeMap::new();
            for (path, entry) in &definition.draft.settings {
                let Some(setting) = path.strip_prefix(&prefix) else { continue };
                let expr = match entry.given {
                    Given::Value(expr) if names_part(part.kind, setting) => {
                        Some(substitution.part(expr, self.findings))
                    }
                    Given::Value(expr) => Some(substitution.expr(expr, self.findings)),
                    Given::Present => None,
                };
                inner
                    .insert(setting.to_owned(), Value { expr, name_span: entry.name_span, span: entry.span });
            }
            for (path, value) in given {
                if let Some(setting) = path.strip_prefix(&prefix) {
                    inner.insert(setting.to_owned(), value.clone());
                }
            }
            let path = Ident { text: format!("{}.{}", name.text, part.name.text), span: part.name.span };
            for (setting, value) in &inner {
                let path = format!("{}.{setting}", path.text);
                self.out.settings.push(ExpandedSetting { path, value: value.clone(), block });
            }
            self.part(part.kind, path, &inner, block);
        }
        for placement in &definition.draft.placements {
            let target = Ident { text: format!("{}.{}", name.text, placement.target), span: placement.span };
            self.out.placements.push((target, substitution.form(placement.form, self.findings)));
        }
        let equations = definition.equations.iter().map(|equation| CompositeEquation {
            name: format!("{}.{}", name.text, equation.name),
            value: substitution.expr(equation.value, self.findings),
            span: equation.span,
        });
        let inputs = definition.written.inputs.iter().map(|input| input.text.clone());
        let composite = Composite {
            kind: definition.written.name.text.clone(),
            span: name.span,
            block,
            inputs: inputs.clone().map(|input| format!("{}.{input}", name.text)).collect(),
            input_names: inputs.collect(),
            equations: equations.collect(),
            parts: definition.draft.parts.iter().map(|part| part.name.text.clone()).collect(),
        };
        self.out.composites.insert(name.text, composite);
    }

    fn unknown_settings(&mut self, definition: &Definition<'_>, name: &Ident, given: &Settings) {
        let parts: Vec<&str> = definition.draft.parts.iter().map(|part| part.name.text.as_str()).collect();
        let settings: Vec<&str> = definition.settings.iter().map(|(setting, _)| setting.as_str()).collect();
        for (path, value) in given {
            let first = path.split('.').next().unwrap_or_default();
            if settings.contains(&path.as_str()) || (parts.contains(&first) && first != path) {
                continue;
            }
            let kind = &definition.written.name;
            let message = format!("`{}` has no setting called `{path}`", name.text);
            let mut finding = Diagnostic::error("unknown-setting", message)
                .at(value.name_span, "unknown")
                .because(kind.span, format!("`{}` is a part of kind `{}`", name.text, kind.text));
            if let Some(close) = did_you_mean(path, settings.iter().chain(&parts).copied()) {
                finding = finding.help(format!("did you mean `{close}`?"));
            }
            if !settings.is_empty() {
                finding = finding.help(format!("settings of `{}`: {}", kind.text, list(&settings)));
            }
            if !parts.is_empty() {
                finding = finding.help(format!(
                    "it is made of {}, whose settings are paths: `{}.SETTING = …`",
                    list(&parts),
                    parts.first().map_or_else(String::new, |part| format!("{}.{part}", name.text)),
                ));
            }
            self.findings.push(finding);
        }
    }
}

/// Whether the setting of a part of this kind is the name of another part.
fn names_part(kind: &Ident, setting: &str) -> bool {
    let known = part::kind(&kind.text).and_then(|kind| kind.settings.iter().find(|one| one.name == setting));
    known.is_some_and(|setting| matches!(setting.takes, Takes::Part))
}

fn missing_setting(definition: &Definition<'_>, name: &Ident, setting: &str) -> Diagnostic {
    let kind = &definition.written.name;
    Diagnostic::error("missing-setting", format!("`{}` has no `{setting}`", name.text))
        .at(name.span, format!("a part of kind `{}`", kind.text))
        .because(kind.span, format!("which has no value for `{setting}` of its own"))
        .help(format!("write `{setting} = …` between its braces"))
}
