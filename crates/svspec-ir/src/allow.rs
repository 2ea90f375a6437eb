//! The comments `// svc: allow NAME: reason`: which warnings they silence, and where.

use crate::program::Program;
use svspec_diagnostics::{Diagnostic, Severity, Span};
use svspec_syntax::ast::{Body, ItemKind, StatementKind, Trivia};

/// One such comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// The warning's name.
    pub name: String,
    /// The statement or block that it stands on or right above.
    pub span: Span,
}

/// Every such comment of the program; one without a reason silences nothing.
pub fn allows(program: &Program) -> Vec<Allow> {
    let mut found = Vec::new();
    for item in program.files().iter().flat_map(|file| &file.file.items) {
        collect(&item.trivia, item.span, &mut found);
        match &item.kind {
            ItemKind::Model { body, .. } | ItemKind::Variant { body, .. } | ItemKind::Train(body) => {
                walk(body, &mut found);
            }
            ItemKind::Part(definition) => walk(&definition.body, &mut found),
            ItemKind::Optimizer(block) => walk(&block.body, &mut found),
            ItemKind::Import { .. } => {}
        }
    }
    found
}

/// The warnings that no comment silences, and every error.
pub fn unsilenced(findings: Vec<Diagnostic>, allows: &[Allow]) -> Vec<Diagnostic> {
    let silenced = |finding: &Diagnostic| {
        let Some(label) = &finding.primary else { return false };
        finding.severity == Severity::Warning
            && allows.iter().any(|allow| allow.name == finding.name && holds(allow.span, label.span))
    };
    findings.into_iter().filter(|finding| !silenced(finding)).collect()
}

fn holds(outer: Span, inner: Span) -> bool {
    outer.source == inner.source && outer.start <= inner.start && inner.end <= outer.end
}

fn collect(trivia: &Trivia, span: Span, found: &mut Vec<Allow>) {
    for comment in trivia.leading.iter().flatten().chain(&trivia.trailing) {
        if let Some(rest) = comment.trim().strip_prefix("svc: allow ")
            && let Some((name, reason)) = rest.split_once(':')
            && !reason.trim().is_empty()
        {
            found.push(Allow { name: name.trim().to_owned(), span });
        }
    }
}

fn walk(body: &Body, found: &mut Vec<Allow>) {
    for statement in &body.statements {
        collect(&statement.trivia, statement.span, found);
        match &statement.kind {
            // As deep as the parser's limit on nesting, no deeper.
            StatementKind::Block { body: Some(body), .. }
            | StatementKind::Part { body: Some(body), .. }
            | StatementKind::Layer { body, .. }
            | StatementKind::Tensors { body, .. }
            | StatementKind::Train(body) => walk(body, found),
            StatementKind::Optimizer(block) => walk(&block.body, found),
            StatementKind::Setting { .. }
            | StatementKind::Block { body: None, .. }
            | StatementKind::Part { body: None, .. }
            | StatementKind::Placement { .. }
            | StatementKind::Rule(_) => {}
        }
    }
}
