//! Two files that the entry imports, each with an optimizer of its own: the later one replaces the earlier, and no word says so.

use crate::program::{Program, ProgramFile};
use svspec_diagnostics::{Diagnostic, SourceId, Sources, Span};
use svspec_syntax::ast::ItemKind;

/// A warning for each import whose optimizer gives way to another's.
pub(crate) fn lint(program: &Program, sources: &Sources) -> Vec<Diagnostic> {
    let Some(entry) = program.files().last().filter(|entry| !names_algorithm(entry)) else {
        return Vec::new();
    };
    let chosen: Vec<(SourceId, Span)> =
        entry.imports.iter().filter_map(|&(source, span)| Some((chosen(program, source)?, span))).collect();
    let Some(&(last, last_span)) = chosen.iter().max_by_key(|(source, _)| place(program, *source)) else {
        return Vec::new();
    };
    let name = |source: SourceId| sources.get(source).map_or("", |source| source.name.as_str());
    let is_replaced = |&&(source, _): &&(SourceId, Span)| source != last && !reaches(program, last, source);
    let replaced = chosen.iter().filter(is_replaced);
    replaced
        .map(|&(source, span)| {
            let message = format!("the optimizer of `{}` replaces that of `{}`", name(last), name(source));
            Diagnostic::warning("replaced-optimizer", message)
                .at(span, "its optimizer does not count")
                .because(last_span, "the last one imported does")
                .help("write the `optimizer` block that is meant in this file, whose own is what holds")
        })
        .collect()
}

/// The file whose optimizer holds where `source` is imported: its own, or that of the last of its imports.
fn chosen(program: &Program, source: SourceId) -> Option<SourceId> {
    let file = file(program, source)?;
    if names_algorithm(file) {
        return Some(source);
    }
    let of_imports = file.imports.iter().filter_map(|(import, _)| chosen(program, *import));
    of_imports.max_by_key(|source| place(program, *source))
}

/// Whether `from` imports `to`, directly or not.
fn reaches(program: &Program, from: SourceId, to: SourceId) -> bool {
    let imports = file(program, from).map_or(&[][..], |file| &file.imports);
    imports.iter().any(|(import, _)| *import == to || reaches(program, *import, to))
}

fn file(program: &Program, source: SourceId) -> Option<&ProgramFile> {
    program.files().iter().find(|file| file.source == source)
}

/// Where a file stands among those that were loaded; a later one's optimizer replaces an earlier one's.
fn place(program: &Program, source: SourceId) -> Option<usize> {
    program.files().iter().position(|file| file.source == source)
}

/// Whether an optimizer block of the file names its algorithm, and so replaces others.
fn names_algorithm(file: &ProgramFile) -> bool {
    file.file.items.iter().any(|item| match &item.kind {
        ItemKind::Optimizer(block) => block.algorithm.is_some(),
        ItemKind::Import { .. }
        | ItemKind::Part(_)
        | ItemKind::Model { .. }
        | ItemKind::Variant { .. }
        | ItemKind::Train(_) => false,
    })
}
