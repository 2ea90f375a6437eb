//! One entry file and a way to get others in; every file that it imports, parsed, out.

use crate::lower::part;
use crate::program::{Program, ProgramFile};
use std::collections::BTreeMap;
use svspec_diagnostics::{Diagnostic, Severity, SourceId, Sources, Span};
use svspec_syntax::ast::ItemKind;

/// Fetches imported files; the command reads the disk, tests read a table.
pub trait Loader {
    /// The text of `path` as imported by the file named `importer`: the name to show and the text, or why there is none.
    fn load(&mut self, importer: &str, path: &str) -> Result<(String, String), String>;
}

/// How many files may import one another in a chain.
const DEEPEST_IMPORT: usize = 32;

/// Parses `entry` and what it imports. Each file is read once, however often it is imported.
pub fn load(sources: &mut Sources, entry: SourceId, loader: &mut dyn Loader) -> (Program, Vec<Diagnostic>) {
    let name = sources.get(entry).map_or_else(String::new, |source| source.name.clone());
    let mut walk = Walk {
        sources,
        loader,
        files: Vec::new(),
        known: BTreeMap::new(),
        open: Vec::new(),
        findings: Vec::new(),
    };
    walk.visit(&name, entry);
    let is_broken = walk.findings.iter().any(|finding| finding.severity == Severity::Error);
    let program = Program::new(walk.files, is_broken);
    walk.findings.extend(shared_names(&program));
    walk.findings.extend(shared_kinds(&program));
    (program, walk.findings)
}

/// Models and variants of one name, in one file or in several: a target would be ambiguous.
fn shared_names(program: &Program) -> Vec<Diagnostic> {
    let mut first: BTreeMap<&str, Span> = BTreeMap::new();
    let mut findings = Vec::new();
    for block in program.blocks() {
        let name = block.name;
        if let Some(&known) = first.get(name.text.as_str()) {
            findings.push(
                Diagnostic::error(
                    "duplicate-name",
                    format!("two models or variants are called `{}`", name.text),
                )
                .at(name.span, "called so again here")
                .because(known, "first called so here")
                .help("give them different names"),
            );
        } else {
            first.insert(&name.text, name.span);
        }
    }
    findings
}

/// Kinds of part of one name, in one file or in several.
fn shared_kinds(program: &Program) -> Vec<Diagnostic> {
    let mut first: BTreeMap<&str, Span> = BTreeMap::new();
    let mut findings = Vec::new();
    for definition in program.definitions() {
        let name = &definition.name;
        let known = first.get(name.text.as_str()).copied();
        let fault = match known {
            Some(known) => {
                Diagnostic::error("duplicate-name", format!("two kinds of part are called `{}`", name.text))
                    .at(name.span, "called so again here")
                    .because(known, "first called so here")
            }
            None if part::kind(&name.text).is_some() => Diagnostic::error(
                "duplicate-name",
                format!("the language has a kind of part called `{}` already", name.text),
            )
            .at(name.span, "taken"),
            None => {
                first.insert(&name.text, name.span);
                continue;
            }
        };
        findings.push(fault.help("give it a name of its own"));
    }
    findings
}

struct Walk<'a> {
    sources: &'a mut Sources,
    loader: &'a mut dyn Loader,
    /// Imported files before their importers, so that the entry is last.
    files: Vec<ProgramFile>,
    known: BTreeMap<String, SourceId>,
    open: Vec<String>,
    findings: Vec<Diagnostic>,
}

impl Walk<'_> {
    fn visit(&mut self, name: &str, source: SourceId) {
        self.known.insert(name.to_owned(), source);
        self.open.push(name.to_owned());
        let text = self.sources.get(source).map_or_else(String::new, |source| source.text.clone());
        let (file, findings) = svspec_syntax::parse(source, &text);
        self.findings.extend(findings);
        let mut imports = Vec::new();
        for item in &file.items {
            match &item.kind {
                ItemKind::Import { path, path_span } => {
                    imports.extend(self.import(name, path, *path_span).map(|source| (source, *path_span)));
                }
                ItemKind::Part(_)
                | ItemKind::Model { .. }
                | ItemKind::Variant { .. }
                | ItemKind::Optimizer(_)
                | ItemKind::Train(_) => {}
            }
        }
        self.open.pop();
        self.files.push(ProgramFile { source, file, imports });
    }

    /// The imported file, if it can be had.
    fn import(&mut self, importer: &str, path: &str, span: Span) -> Option<SourceId> {
        if self.open.len() >= DEEPEST_IMPORT {
            let message = format!("more than {DEEPEST_IMPORT} files import one another in a chain");
            self.findings.push(
                Diagnostic::error("nested-too-deeply", message)
                    .at(span, "this import is one too many")
                    .help("import the files that are needed from one file, side by side"),
            );
            return None;
        }
        match self.loader.load(importer, path) {
            Ok((name, _)) if self.open.contains(&name) => {
                let chain: Vec<String> = self.open.iter().map(|file| format!("`{file}`")).collect();
                let message = format!("`{name}` imports itself: {} → `{name}`", chain.join(" → "));
                self.findings.push(
                    Diagnostic::error("import-cycle", message)
                        .at(span, "this import closes the circle")
                        .help("move what both files need into a third file, and import that from both"),
                );
                None
            }
            Ok((name, _)) if self.known.contains_key(&name) => self.known.get(&name).copied(),
            Ok((name, text)) => {
                let source = self.sources.add(name.clone(), text);
                self.visit(&name, source);
                Some(source)
            }
            Err(reason) => {
                self.findings.push(
                    Diagnostic::error("import-not-found", format!("cannot import `{path}`: {reason}"))
                        .at(span, "imported here")
                        .help(format!("the path is relative to the importing file, `{importer}`")),
                );
                None
            }
        }
    }
}
