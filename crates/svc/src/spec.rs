//! A spec with its imports, and targets of it compiled: a path in, checked models or rendered findings out.

use crate::outcome::Faulty;
use crate::read::Origin;
use crate::terminal::{self, Stream};
use anyhow::bail;
use svspec_diagnostics::{Diagnostic, Severity, Sources};
use svspec_ir::CheckedModel;
use svspec_ir::program::Program;
use svspec_syntax::ast::ItemKind;

/// A file that has been read and parsed, with all that it imports. It has no syntax errors.
#[derive(Debug)]
pub struct Spec {
    /// The path as the user wrote it.
    pub path: String,
    /// The path as messages show it; with the revision, where it is one's.
    pub shown: String,
    /// Its text.
    pub text: String,
    /// It and its imports.
    pub sources: Sources,
    /// What they say.
    pub program: Program,
}

impl Spec {
    /// Reads and parses the spec at `path` and what it imports.
    pub fn open(origin: &Origin, path: &str) -> anyhow::Result<Self> {
        let text = origin.read(path)?;
        let shown = origin.shown(path);
        let mut sources = Sources::new();
        let entry = sources.add(shown.as_str(), text.as_str());
        let (program, found) = svspec_ir::load::load(&mut sources, entry, &mut origin.clone());
        if found.iter().any(|found| found.severity == Severity::Error) {
            return Err(faulty(&found, &sources));
        }
        Ok(Self { path: path.to_owned(), shown, text, sources, program })
    }

    /// The file's own name, without folders.
    pub fn file_name(&self) -> String {
        match std::path::Path::new(&self.path).file_name() {
            Some(name) => name.to_string_lossy().into_owned(),
            None => self.path.clone(),
        }
    }

    /// Its text and, as comments, that of all it imports: all that its meaning depends on, for the generated crate's
    /// copy and for its hash.
    pub fn whole_text(&self) -> String {
        let mut text = self.text.clone();
        // The program lists the entry last.
        for file in self.program.files().iter().rev().skip(1) {
            let Some(source) = self.sources.get(file.source) else { continue };
            let name = std::path::Path::new(&source.name).file_name().unwrap_or_default().to_string_lossy();
            text.push_str(&format!("\n// {name}, as it was imported:\n"));
            text.extend(source.text.lines().map(|line| format!("// | {line}\n")));
        }
        text
    }

    /// The models and variants of the file itself, in its order; at least one.
    pub fn targets(&self) -> anyhow::Result<Vec<String>> {
        let targets = self.program.targets();
        if targets.is_empty() {
            bail!("`{}` holds no model and no variant of its own", self.shown);
        }
        Ok(targets)
    }

    /// The target that `variant` names, or the file's default.
    pub fn target(&self, variant: Option<&str>) -> anyhow::Result<String> {
        let targets = self.targets()?;
        let Some(name) = variant else {
            return Ok(self.program.default_target().unwrap_or_default().to_owned());
        };
        // Imported targets can be compiled too, but are not listed.
        let is_visible =
            self.program.files().iter().flat_map(|file| &file.file.items).any(|item| match &item.kind {
                ItemKind::Model { name: own, .. } | ItemKind::Variant { name: own, .. } => own.text == name,
                ItemKind::Import { .. } | ItemKind::Part(_) | ItemKind::Optimizer(_) | ItemKind::Train(_) => {
                    false
                }
            });
        if is_visible {
            return Ok(name.to_owned());
        }
        match svspec_diagnostics::did_you_mean(name, targets.iter().map(String::as_str)) {
            Some(near) => bail!("`{}` has no target `{name}`: did you mean `{near}`?", self.shown),
            None => bail!("`{}` has no target `{name}`: there are {}", self.shown, targets.join(", ")),
        }
    }

    /// Refuses a model whose parameters cannot all be found in a checkpoint of other software.
    pub fn require_foreign_names(&self, checked: &CheckedModel) -> anyhow::Result<()> {
        match svspec_ir::foreign::without_foreign_name(checked.model()) {
            Some(fault) => Err(faulty(&[fault], &self.sources)),
            None => Ok(()),
        }
    }

    /// Compiles `target`.
    pub fn compile(&self, target: &str) -> anyhow::Result<CheckedModel> {
        match svspec_ir::compile::compile(&self.program, &self.sources, target) {
            Ok(compiled) => Ok(compiled.checked),
            Err(findings) => Err(faulty(&findings, &self.sources)),
        }
    }
}

fn faulty(findings: &[Diagnostic], sources: &Sources) -> anyhow::Error {
    Faulty(svspec_diagnostics::render_text(findings, sources, terminal::color(Stream::Error))).into()
}

/// A file and perhaps a target of it, as the command line names them: `FILE` or `FILE:TARGET`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The file.
    pub path: String,
    /// The model or variant; `None`: the file's default.
    pub target: Option<String>,
}

impl From<&str> for Reference {
    fn from(text: &str) -> Self {
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        };
        match text.rsplit_once(':') {
            Some((path, target)) if is_name(target) && !path.is_empty() => {
                Self { path: path.to_owned(), target: Some(target.to_owned()) }
            }
            Some(_) | None => Self { path: text.to_owned(), target: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_a_file_and_perhaps_a_target() {
        let of = |text: &str| {
            let Reference { path, target } = text.into();
            (path, target)
        };
        assert_eq!(of("a/b.svspec:unified"), ("a/b.svspec".into(), Some("unified".into())));
        assert_eq!(of("a/b.svspec"), ("a/b.svspec".into(), None));
        assert_eq!(of("a:b/c.svspec"), ("a:b/c.svspec".into(), None));
        assert_eq!(of(":x"), (":x".into(), None));
    }
}
