//! The statements of a target, in order, in; one list for each kind of fact, later statements replacing earlier, out.

use super::composite::Composite;
use super::lineage::Lineage;
use super::path::{expand, single};
use std::collections::BTreeMap;
use svspec_diagnostics::{Diagnostic, Span};
use svspec_syntax::ast::{Body, Expr, Form, Ident, OptimizerBlock, Statement, StatementKind};

/// What a setting is given.
#[derive(Clone, Copy, Debug)]
pub enum Given<'a> {
    /// `name = expr`
    Value(&'a Expr),
    /// `rope { … }` or `rope`: it is there.
    Present,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What it is given.
    pub given: Given<'a>,
    /// Where its name stands.
    pub name_span: Span,
    /// The whole statement.
    pub span: Span,
    /// The block that says so: its index in the lineage.
    pub block: usize,
}

/// A part's declaration.
#[derive(Clone, Copy, Debug)]
pub struct PartDraft<'a> {
    /// Its kind's name.
    pub kind: &'a Ident,
    /// Its name.
    pub name: &'a Ident,
    /// The block that declares it.
    pub block: usize,
}

/// A layer kind.
#[derive(Clone, Debug)]
pub struct LayerDraft<'a> {
    /// `layer` if it has no name of its own.
    pub name: String,
    /// Its name, or the whole statement.
    pub span: Span,
    /// Its equations.
    pub body: &'a Body,
    /// The block that declares it.
    pub block: usize,
}

/// One target of a placement.
#[derive(Clone, Debug)]
pub struct PlacementDraft<'a> {
    /// `attn.q`
    pub target: String,
    /// Where the target stands.
    pub span: Span,
    /// What is placed.
    pub form: &'a Form,
}

/// All that a target says.
#[derive(Clone, Debug, Default)]
pub struct Draft<'a> {
    /// By dotted name; a later statement replaces an earlier one.
    pub settings: BTreeMap<String, Entry<'a>>,
    /// In the order of their first declaration.
    pub parts: Vec<PartDraft<'a>>,
    /// In the order of their first declaration.
    pub layers: Vec<LayerDraft<'a>>,
    /// In order.
    pub placements: Vec<PlacementDraft<'a>>,
    /// The `tensors` blocks, in order, each with the block that it stands in.
    pub tensors: Vec<(usize, &'a Ident, &'a Body)>,
    /// The parts of kinds that files define, by name; `parts` holds what they are made of.
    pub composites: BTreeMap<String, &'a Composite>,
    /// The parts that could not be expanded.
    pub faulty: Vec<&'a str>,
    /// The kinds that files define.
    pub kinds: Vec<&'a str>,
    /// The `optimizer` blocks within variants, in order, each with the block that it stands in.
    pub optimizers: Vec<(usize, &'a OptimizerBlock)>,
    /// The `train` blocks within variants, likewise.
    pub trains: Vec<(usize, &'a Body)>,
}

/// Sorts the statements.
pub fn draft<'a>(lineage: &Lineage<'a>, findings: &mut Vec<Diagnostic>) -> Draft<'a> {
    let mut draft = Draft::default();
    for (index, block) in lineage.blocks.iter().enumerate() {
        let mut own = Own::new(index);
        for statement in &block.body.statements {
            draft.add(statement, &mut own, findings);
        }
    }
    draft
}

/// The names that one block has declared so far.
pub struct Own {
    block: usize,
    names: BTreeMap<String, Span>,
}

impl Own {
    /// Nothing declared yet in the block of that index.
    pub fn new(block: usize) -> Self {
        Self { block, names: BTreeMap::new() }
    }

    /// Notes a name. A second time in one block is a fault; then the first declaration holds, and `false` is returned.
    fn declare(&mut self, what: &str, name: &str, span: Span, findings: &mut Vec<Diagnostic>) -> bool {
        if let Some(&first) = self.names.get(name) {
            findings.push(duplicate(what, name, span, first));
            return false;
        }
        self.names.insert(name.to_owned(), span);
        true
    }
}

/// `name` is said twice where it may be said once.
pub fn duplicate(what: &str, name: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::error("duplicate-name", format!("{what} `{name}` is given twice"))
        .at(span, "given again here")
        .because(first, "first given here")
        .help("remove one of the two, or give them different names")
}

impl<'a> Draft<'a> {
    /// Notes what a statement says.
    pub fn add(&mut self, statement: &'a Statement, own: &mut Own, findings: &mut Vec<Diagnostic>) {
        match &statement.kind {
            StatementKind::Setting { path, value } => {
                for (name, name_span) in expand(path) {
                    let given = Given::Value(value);
                    let entry = Entry { given, name_span, span: statement.span, block: own.block };
                    // Those of parts also stand between the parts' braces: `set` compares them with each other.
                    if name.contains('.') || own.declare("setting", &name, name_span, findings) {
                        self.set(name, entry, findings);
                    }
                }
            }
            StatementKind::Part { kind, names, body } => {
                for name in names {
                    if !own.declare("part", &name.text, name.span, findings) {
                        continue;
                    }
                    self.declare_part(PartDraft { kind, name, block: own.block });
                    if let Some(body) = body {
                        self.part_settings(&name.text, body, own.block, findings);
                    }
                }
            }
            StatementKind::Layer { name, body } => {
                let span = name.as_ref().map_or(statement.span, |name| name.span);
                let name = name.as_ref().map_or("layer", |name| name.text.as_str()).to_owned();
                if !own.declare("layer", &name, span, findings) {
                    return;
                }
                let layer = LayerDraft { name, span, body, block: own.block };
                match self.layers.iter_mut().find(|known| known.name == layer.name) {
                    Some(known) => *known = layer,
                    None => self.layers.push(layer),
                }
            }
            StatementKind::Placement { targets, form } => {
                let all = targets.iter().flat_map(expand);
                self.placements.extend(all.map(|(target, span)| PlacementDraft { target, span, form }));
            }
            StatementKind::Tensors { name, body } => self.tensors.push((own.block, name, body)),
            StatementKind::Optimizer(block) => self.optimizers.push((own.block, block)),
            StatementKind::Train(body) => self.trains.push((own.block, body)),
            StatementKind::Rule(rule) => findings.push(
                Diagnostic::error("misplaced-statement", "a rule stands outside an `optimizer` block")
                    .at(statement.span, "a rule for the optimizer")
                    .help(format!("write `optimizer {{ {} }}`", svspec_syntax::format_rule(rule))),
            ),
            StatementKind::Block { name, .. } => findings.push(
                Diagnostic::error("misplaced-statement", format!("`{}` means nothing here", name.text))
                    .at(statement.span, "neither a setting, a part, a layer nor a placement")
                    .help("a setting is written `name = value`, a part `KIND name { settings }`"),
            ),
        }
    }

    /// The names that equations may call, as they are declared.
    pub fn part_names(&self) -> impl Iterator<Item = &str> {
        let is_whole = |name: &&str| {
            let starts = name.match_indices('.').filter_map(|(dot, _)| name.get(..dot));
            !starts.into_iter().any(|start| self.composites.contains_key(start))
        };
        let composites = self.composites.keys().map(String::as_str);
        self.parts.iter().map(|part| part.name.text.as_str()).chain(composites).filter(is_whole)
    }

    /// The part that a dotted path starts with, and the rest: of `block.norm.eps` the part `block.norm`, if there is one.
    pub fn part_of<'p>(&self, path: &'p str) -> Option<(PartDraft<'a>, &'p str)> {
        let splits = path.match_indices('.').map(|(dot, _)| path.split_at(dot));
        splits.rev().find_map(|(name, rest)| {
            let part = self.parts.iter().find(|part| part.name.text == name)?;
            Some((*part, rest.strip_prefix('.').unwrap_or(rest)))
        })
    }

    /// The part of a defined kind that is at the start of a path, or is all of it.
    pub fn composite_of(&self, path: &str) -> Option<(&str, &'a Composite)> {
        let is_start =
            |name: &str| path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.composites
            .iter()
            .rev()
            .find(|(name, _)| is_start(name))
            .map(|(name, made)| (name.as_str(), *made))
    }

    /// A new declaration replaces an inherited one, settings and all.
    fn declare_part(&mut self, part: PartDraft<'a>) {
        let prefix = format!("{}.", part.name.text);
        self.settings.retain(|name, entry| !name.starts_with(&prefix) || entry.block == part.block);
        match self.parts.iter_mut().find(|known| known.name.text == part.name.text) {
            Some(known) => *known = part,
            None => self.parts.push(part),
        }
    }

    /// Notes a setting; a later block's replaces it, the same block's is a fault.
    fn set(&mut self, path: String, entry: Entry<'a>, findings: &mut Vec<Diagnostic>) {
        match self.settings.get(&path) {
            Some(first) if first.block == entry.block => {
                findings.push(duplicate("setting", &path, entry.name_span, first.name_span));
            }
            Some(_) | None => {
                self.settings.insert(path, entry);
            }
        }
    }

    /// Notes what stands between braces, those of a setting's own block under its name: `attn.rope.theta`.
    fn part_settings(&mut self, prefix: &str, body: &'a Body, block: usize, findings: &mut Vec<Diagnostic>) {
        for statement in &body.statements {
            let span = statement.span;
            match &statement.kind {
                StatementKind::Setting { path, value } => {
                    let Some((name, name_span)) = single(path) else {
                        findings.push(misplaced_in_part(statement));
                        continue;
                    };
                    let entry = Entry { given: Given::Value(value), name_span, span, block };
                    self.set(format!("{prefix}.{name}"), entry, findings);
                }
                StatementKind::Block { name, body } => {
                    let path = format!("{prefix}.{}", name.text);
                    let entry = Entry { given: Given::Present, name_span: name.span, span, block };
                    self.set(path.clone(), entry, findings);
                    if let Some(body) = body {
                        self.part_settings(&path, body, block, findings);
                    }
                }
                StatementKind::Part { .. }
                | StatementKind::Layer { .. }
                | StatementKind::Tensors { .. }
                | StatementKind::Placement { .. }
                | StatementKind::Rule(_)
                | StatementKind::Optimizer(_)
                | StatementKind::Train(_) => findings.push(misplaced_in_part(statement)),
            }
        }
    }
}

fn misplaced_in_part(statement: &Statement) -> Diagnostic {
    Diagnostic::error("misplaced-statement", "only settings stand between a part's braces")
        .at(statement.span, "not a setting")
        .help("a setting is written `name = value`, or `name { … }` where it has settings of its own")
}
