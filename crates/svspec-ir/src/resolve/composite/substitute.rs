//! An expression or a form of a definition in; the same with the names that it has in one part of that kind out.
//!
//! A setting's name becomes what the setting is given; the name of a part, an input or a value gets the part's path
//! before it.

use super::definition::Definition;
use crate::resolve::draft::Draft;
use crate::resolve::number::{NUMERIC_SETTINGS, OTHER_SETTINGS};
use crate::resolve::path::single;
use std::collections::BTreeMap;
use svspec_diagnostics::{Diagnostic, Span};
use svspec_syntax::ast::{Body, Expr, ExprKind, Form, Ident, Path, StatementKind, Term};

/// The names of one part.
pub struct Substitution<'s> {
    prefix: String,
    settings: BTreeMap<String, Expr>,
    /// Inputs and assigned names.
    values: Vec<&'s str>,
    parts: Vec<&'s str>,
    /// Numbers and parts of the model, which a definition does not see.
    draft: &'s Draft<'s>,
    kind: &'s Ident,
}

impl<'s> Substitution<'s> {
    /// That of the part called `name`, before any of its settings is known.
    pub fn new(name: &str, definition: &'s Definition<'_>, draft: &'s Draft<'_>) -> Self {
        let inputs = definition.written.inputs.iter().map(|input| input.text.as_str());
        let assigned = definition.equations.iter().map(|equation| equation.name);
        Self {
            prefix: name.to_owned(),
            settings: BTreeMap::new(),
            values: inputs.chain(assigned).collect(),
            parts: definition.draft.parts.iter().map(|part| part.name.text.as_str()).collect(),
            draft,
            kind: &definition.written.name,
        }
    }

    /// From here on the setting's name stands for `value`.
    pub fn set(&mut self, setting: &str, value: Expr) {
        self.settings.insert(setting.to_owned(), value);
    }

    /// The expression with the part's names.
    pub fn expr(&self, expr: &Expr, findings: &mut Vec<Diagnostic>) -> Expr {
        let span = expr.span;
        let kind = match &expr.kind {
            ExprKind::Name(path) => return self.name(path, span, findings),
            ExprKind::Call { callee, arguments } => ExprKind::Call {
                callee: self.callee(callee, findings),
                arguments: arguments.iter().map(|argument| self.expr(argument, findings)).collect(),
            },
            ExprKind::Tuple(items) => {
                ExprKind::Tuple(items.iter().map(|item| self.expr(item, findings)).collect())
            }
            ExprKind::Negate(inner) => ExprKind::Negate(Box::new(self.expr(inner, findings))),
            ExprKind::Group(inner) => ExprKind::Group(Box::new(self.expr(inner, findings))),
            ExprKind::Binary { operator, left, right } => ExprKind::Binary {
                operator: *operator,
                left: Box::new(self.expr(left, findings)),
                right: Box::new(self.expr(right, findings)),
            },
            ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Record { .. } => expr.kind.clone(),
        };
        Expr { kind, span }
    }

    /// The name of a part, which is one of the definition's unless a setting says which.
    pub fn part(&self, expr: &Expr, findings: &mut Vec<Diagnostic>) -> Expr {
        let ExprKind::Name(path) = &expr.kind else { return self.expr(expr, findings) };
        if single(path).is_none_or(|(name, _)| self.settings.contains_key(&name)) {
            return self.expr(expr, findings);
        }
        Expr { kind: ExprKind::Name(self.callee(path, findings)), span: expr.span }
    }

    /// The form of a placement, with the part's settings in its braces.
    pub fn form(&self, form: &Form, findings: &mut Vec<Diagnostic>) -> Form {
        let terms = form.terms.iter().map(|term| Term {
            name: term.name.clone(),
            arguments: term.arguments.iter().map(|argument| self.expr(argument, findings)).collect(),
            body: term.body.as_ref().map(|body| self.body(body, findings)),
        });
        Form { port: form.port, terms: terms.collect(), span: form.span }
    }

    fn body(&self, body: &Body, findings: &mut Vec<Diagnostic>) -> Body {
        let mut body = body.clone();
        for statement in &mut body.statements {
            if let StatementKind::Setting { value, .. } = &mut statement.kind {
                *value = self.expr(value, findings);
            }
        }
        body
    }

    fn name(&self, path: &Path, span: Span, findings: &mut Vec<Diagnostic>) -> Expr {
        let kept = Expr { kind: ExprKind::Name(path.clone()), span };
        let Some((name, _)) = single(path) else { return kept };
        if let Some(value) = self.settings.get(&name) {
            return value.clone();
        }
        let first = name.split('.').next().unwrap_or_default();
        if self.values.contains(&name.as_str()) || (first != name && self.parts.contains(&first)) {
            return Expr { kind: ExprKind::Name(self.path(&name, span)), span };
        }
        let is_of_model = self.draft.settings.contains_key(&name);
        let is_language = NUMERIC_SETTINGS.iter().chain(&OTHER_SETTINGS).any(|known| *known == name);
        if is_of_model && !is_language {
            self.unseen(&format!("`{name}` is a number of the model"), span, findings);
        }
        kept
    }

    fn callee(&self, callee: &Path, findings: &mut Vec<Diagnostic>) -> Path {
        let Some((name, span)) = single(callee) else { return callee.clone() };
        if self.parts.contains(&name.as_str()) {
            return self.path(&name, span);
        }
        if self.draft.parts.iter().any(|part| part.name.text == name) {
            self.unseen(&format!("`{name}` is a part of the model"), span, findings);
        }
        callee.clone()
    }

    fn unseen(&self, what: &str, span: Span, findings: &mut Vec<Diagnostic>) {
        let kind = &self.kind.text;
        findings.push(
            Diagnostic::error("unknown-name", format!("{what}, which the definition of `{kind}` does not see"))
                .at(span, "not of this definition")
                .because(self.kind.span, format!("`{kind}` is defined here"))
                .help("a definition sees its inputs, settings and parts, and `width`, `vocab`, `context`, `layers`, `layer`; \
                       make it a setting, an input or a part of the definition"),
        );
    }

    /// The name behind the part's path, as one word.
    fn path(&self, name: &str, span: Span) -> Path {
        let word = Ident { text: format!("{}.{name}", self.prefix), span };
        Path { segments: vec![vec![word]], span }
    }
}
