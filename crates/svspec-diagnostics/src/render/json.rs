//! Findings to JSON for programs.

use crate::{Counts, Diagnostic, Label, Severity, Sources, Span};
use serde::Serialize;

/// Grows when a field changes its meaning or goes; new fields may come without.
const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    format_version: u32,
    diagnostics: Vec<Finding<'a>>,
    summary: Counts,
}

#[derive(Serialize)]
struct Finding<'a> {
    name: &'a str,
    severity: &'static str,
    message: &'a str,
    #[serde(flatten)]
    place: Option<Place<'a>>,
    labels: Vec<Mark<'a>>,
    help: &'a [String],
}

/// Lines and columns count from 1, columns in characters; `end` is one past the last character.
#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct Mark<'a> {
    kind: &'static str,
    message: &'a str,
    #[serde(flatten)]
    place: Option<Place<'a>>,
}

/// The findings in order, and their counts, as one JSON object that ends in a line break.
pub fn render_json(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let report = Report {
        format_version: FORMAT_VERSION,
        diagnostics: diagnostics.iter().map(|diagnostic| finding(diagnostic, sources)).collect(),
        summary: Counts::of(diagnostics),
    };
    // Every field has a JSON form.
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}

fn finding<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Finding<'a> {
    let mark =
        |kind, label: &'a Label| Mark { kind, message: &label.message, place: place(label.span, sources) };
    let primary = diagnostic.primary.iter().map(|label| mark("value", label));
    let secondary = diagnostic.secondary.iter().map(|label| mark("cause", label));
    Finding {
        name: diagnostic.name,
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        message: &diagnostic.message,
        place: diagnostic.primary.as_ref().and_then(|label| place(label.span, sources)),
        labels: primary.chain(secondary).collect(),
        help: &diagnostic.help,
    }
}

fn place(span: Span, sources: &Sources) -> Option<Place<'_>> {
    let file = &sources.get(span.source)?.name;
    let (line, column) = sources.line_column(span);
    let (end_line, end_column) = sources.line_column(Span { start: span.end, ..span });
    Some(Place { file, line, column, end: Position { line: end_line, column: end_column } })
}
