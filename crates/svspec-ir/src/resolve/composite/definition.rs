//! A `part` block in; its settings, parts, placements and equations, told apart, out.

use super::unread;
use crate::Activation;
use crate::arithmetic::FUNCTIONS;
use crate::resolve::draft::{Draft, Own, duplicate};
use crate::resolve::path::single;
use svspec_diagnostics::{Diagnostic, Span};
use svspec_syntax::ast::{Expr, ExprKind, Ident, PartDefinition, Statement, StatementKind};

/// A kind of part that a file defines.
#[derive(Clone, Debug)]
pub struct Definition<'a> {
    /// As written.
    pub written: &'a PartDefinition,
    /// Its settings in order, with their presets; `None` for one that must be given.
    pub settings: Vec<(String, Option<&'a Expr>)>,
    /// Its parts, their settings, and its placements.
    pub draft: Draft<'a>,
    /// Its equations in order.
    pub equations: Vec<DefinedEquation<'a>>,
}

/// An equation as a definition writes it.
#[derive(Clone, Copy, Debug)]
pub struct DefinedEquation<'a> {
    /// What is assigned.
    pub name: &'a str,
    /// The right side.
    pub value: &'a Expr,
    /// The whole statement.
    pub span: Span,
}

/// Words that an equation means otherwise.
const TAKEN: [&str; 3] = ["tokens", "layer", "layers"];

/// Reads it.
pub fn definition<'a>(written: &'a PartDefinition, findings: &mut Vec<Diagnostic>) -> Definition<'a> {
    let mut definition =
        Definition { written, settings: Vec::new(), draft: Draft::default(), equations: Vec::new() };
    let mut own = Own::new(0);
    for statement in &written.body.statements {
        match &statement.kind {
            StatementKind::Part { .. } | StatementKind::Placement { .. } => {
                definition.draft.add(statement, &mut own, findings);
            }
            StatementKind::Setting { path, value } => match single(path) {
                Some((name, _)) if !name.contains('.') => {
                    for word in path.segments.iter().flatten() {
                        definition.setting(statement, word, value, findings);
                    }
                }
                Some(_) | None => definition.draft.add(statement, &mut own, findings),
            },
            StatementKind::Block { name, body: None } => {
                if definition.is_new(&name.text, name.span, findings) {
                    definition.settings.push((name.text.clone(), None));
                }
            }
            StatementKind::Block { body: Some(_), .. }
            | StatementKind::Layer { .. }
            | StatementKind::Tensors { .. }
            | StatementKind::Rule(_)
            | StatementKind::Optimizer(_)
            | StatementKind::Train(_) => findings.push(
                Diagnostic::error("misplaced-statement", "this means nothing in a `part` block")
                    .at(statement.span, "neither a setting, a part, a placement nor an equation")
                    .help("equations stand in the block itself; the last one is the result"),
            ),
        }
    }
    faults(&definition, findings);
    // Of a definition that computes nothing, nothing is read.
    if !definition.equations.is_empty() {
        unread::report(&definition, findings);
    }
    definition
}

impl<'a> Definition<'a> {
    /// An equation if its right side is a value of the data flow, else a setting with its preset.
    fn setting(
        &mut self,
        statement: &Statement,
        word: &'a Ident,
        value: &'a Expr,
        findings: &mut Vec<Diagnostic>,
    ) {
        let (name, span) = (word.text.as_str(), word.span);
        if self.is_value(value) {
            self.equations.push(DefinedEquation { name, value, span: statement.span });
        } else if self.is_new(name, span, findings) {
            self.settings.push((name.to_owned(), Some(value)));
        }
    }

    fn is_new(&self, name: &str, span: Span, findings: &mut Vec<Diagnostic>) -> bool {
        let is_known = self.settings.iter().any(|(known, _)| known == name);
        if is_known {
            findings.push(duplicate("setting", name, span, self.written.name.span));
        }
        !is_known
    }

    /// Whether an expression names an input or what an equation above it assigns, or calls other than a function of
    /// numbers.
    fn is_value(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Name(path) => single(path).is_some_and(|(name, _)| {
                self.written.inputs.iter().any(|input| input.text == name)
                    || self.equations.iter().any(|equation| equation.name == name)
            }),
            ExprKind::Call { callee, arguments } => {
                let of_numbers =
                    single(callee).is_some_and(|(name, _)| FUNCTIONS.iter().any(|(known, _)| *known == name));
                !of_numbers || arguments.iter().any(|argument| self.is_value(argument))
            }
            ExprKind::Group(inner) | ExprKind::Negate(inner) => self.is_value(inner),
            ExprKind::Binary { left, right, .. } => self.is_value(left) || self.is_value(right),
            ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Record { .. } | ExprKind::Tuple(_) => false,
        }
    }
}

/// What is wrong with the definition as a whole.
fn faults(definition: &Definition<'_>, findings: &mut Vec<Diagnostic>) {
    let kind = &definition.written.name;
    if definition.equations.is_empty() {
        let input = definition.written.inputs.first().map_or("x", |input| input.text.as_str());
        findings.push(
            Diagnostic::error("missing-result", format!("`{}` does not say what it computes", kind.text))
                .at(kind.span, "has no equation")
                .help(format!(
                    "write an equation of `{input}`, such as `y = gain({input})`; the last one is the result"
                )),
        );
    }
    let mut named: Vec<(&str, Span)> = Vec::new();
    let inputs = definition.written.inputs.iter().map(|input| (input.text.as_str(), input.span));
    let parts = definition.draft.parts.iter().map(|part| (part.name.text.as_str(), part.name.span));
    for (name, span) in inputs.chain(parts) {
        let first = named.iter().find(|(known, _)| *known == name).map(|(_, span)| *span);
        let is_function = Activation::named(name).is_some() || TAKEN.contains(&name);
        if let Some(first) = first {
            findings.push(duplicate("the name", name, span, first));
        } else if is_function {
            findings.push(
                Diagnostic::error("duplicate-name", format!("`{name}` has a meaning already"))
                    .at(span, "taken")
                    .help("give it another name"),
            );
        }
        named.push((name, span));
    }
    for equation in &definition.equations {
        let setting = definition.settings.iter().any(|(setting, _)| setting == equation.name);
        let part = definition.draft.parts.iter().any(|part| part.name.text == equation.name);
        if setting || part || TAKEN.contains(&equation.name) {
            findings.push(
                Diagnostic::error(
                    "duplicate-name",
                    format!("`{}` cannot be assigned: it has a meaning already", equation.name),
                )
                .at(equation.span, "taken")
                .help("give the value another name"),
            );
        }
    }
}
