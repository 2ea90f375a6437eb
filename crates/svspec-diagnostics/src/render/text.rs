//! Findings to text for a terminal or a log: the message, the lines of source with their labels, the help.

use crate::{Diagnostic, Severity, Source, SourceId, Sources, Span};
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::ops::Range;

/// Whether the text carries the escapes that colour a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// It does not.
    Plain,
    /// It does.
    Ansi,
}

/// Longer lines of source are shown in part, around their labels.
const MAX_COLUMNS: usize = 140;

/// The findings in order, each followed by a blank line. Nothing at all for no findings.
pub fn render_text(diagnostics: &[Diagnostic], sources: &Sources, color: Color) -> String {
    let renderer = match color {
        Color::Plain => Renderer::plain(),
        Color::Ansi => Renderer::styled(),
    };
    let renderer = renderer.term_width(MAX_COLUMNS);
    let texts = diagnostics.iter().map(|diagnostic| renderer.render(&[group(diagnostic, sources)]) + "\n\n");
    texts.collect::<Vec<_>>().concat()
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(&diagnostic.message).id(diagnostic.name));
    for (source, annotations) in annotations(diagnostic, sources) {
        group = if source.text.is_empty() {
            group.element(Origin::path(&source.name))
        } else {
            group.element(Snippet::source(&source.text).path(&source.name).annotations(annotations))
        };
    }
    group.elements(diagnostic.help.iter().map(|help| Level::HELP.message(help)))
}

/// The labels of each file, the file of the value at fault first, then in the order of the causes.
fn annotations<'a>(
    diagnostic: &'a Diagnostic,
    sources: &'a Sources,
) -> impl Iterator<Item = (&'a Source, Vec<Annotation<'a>>)> {
    let primary = diagnostic.primary.iter().map(|label| (AnnotationKind::Primary, label));
    let secondary = diagnostic.secondary.iter().map(|label| (AnnotationKind::Context, label));
    let mut files: Vec<(SourceId, &Source, Vec<Annotation<'a>>)> = Vec::new();
    for (kind, label) in primary.chain(secondary) {
        let Some(source) = sources.get(label.span.source) else { continue };
        let message = (!label.message.is_empty()).then_some(label.message.as_str());
        let annotation = kind.span(within(label.span, &source.text)).label(message);
        match files.iter_mut().find(|(id, ..)| *id == label.span.source) {
            Some((.., annotations)) => annotations.push(annotation),
            None => files.push((label.span.source, source, vec![annotation])),
        }
    }
    files.into_iter().map(|(_, source, annotations)| (source, annotations))
}

/// The bytes of `span`, moved to where characters of `text` start.
fn within(span: Span, text: &str) -> Range<usize> {
    let boundaries = || text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let start = boundaries().take_while(|&at| at <= span.start as usize).last().unwrap_or(0);
    let end = boundaries().find(|&at| at >= span.end as usize).unwrap_or(text.len());
    start..end.max(start)
}
