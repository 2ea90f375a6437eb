//! A spec with its imports, and one target of it compiled: a path in, a checked model or rendered findings out.

use crate::outcome::Faulty;
use crate::read::Origin;
use crate::terminal::{self, Stream};
use svspec_diagnostics::{Diagnostic, Severity, Sources};
use svspec_ir::{CheckedModel, Program};

/// A file that has been read and parsed, with all that it imports.
#[derive(Debug)]
pub struct Spec {
    /// The path as the user wrote it.
    pub path: String,
    /// Its text.
    pub text: String,
    /// It and its imports.
    pub sources: Sources,
    /// What they say.
    pub program: Program,
    /// What reading and parsing found.
    pub found: Vec<Diagnostic>,
}

impl Spec {
    /// Reads and parses the spec at `path` and what it imports.
    pub fn open(origin: &Origin, path: &str) -> anyhow::Result<Self> {
        let text = origin.read(path)?;
        let mut sources = Sources::new();
        let entry = sources.add(origin.shown(path), text.as_str());
        let (program, found) = svspec_ir::load(&mut sources, entry, &mut origin.clone());
        Ok(Self { path: path.to_owned(), text, sources, program, found })
    }

    /// The file's own name, without folders.
    pub fn file_name(&self) -> String {
        match std::path::Path::new(&self.path).file_name() {
            Some(name) => name.to_string_lossy().into_owned(),
            None => self.path.clone(),
        }
    }

    /// Every finding of every target of the file, in the order of the text.
    pub fn check(&self) -> Vec<Diagnostic> {
        if self.found.iter().any(|found| found.severity == Severity::Error) {
            return self.found.clone();
        }
        let mut findings = self.found.clone();
        findings.extend(svspec_ir::check(&self.program, &self.sources));
        findings
    }

    /// The target that `variant` names, or the file's default.
    pub fn target(&self, variant: Option<&str>) -> anyhow::Result<String> {
        if let Some(name) = variant {
            return Ok(name.to_owned());
        }
        match self.program.default_target() {
            Some(name) => Ok(name.to_owned()),
            None if self.found.is_empty() => {
                anyhow::bail!("`{}` holds no model and no variant of its own", self.path)
            }
            None => Err(self.faulty(&self.found)),
        }
    }

    /// Compiles `target`; its warnings are noted on standard error, its errors are the `Err`.
    pub fn compile(&self, target: &str) -> anyhow::Result<CheckedModel> {
        if self.found.iter().any(|found| found.severity == Severity::Error) {
            return Err(self.faulty(&self.found));
        }
        match svspec_ir::compile(&self.program, &self.sources, target) {
            Ok(compiled) => Ok(compiled.checked),
            Err(findings) => Err(self.faulty(&findings)),
        }
    }

    fn faulty(&self, findings: &[Diagnostic]) -> anyhow::Error {
        let color = terminal::color(Stream::Error);
        Faulty(svspec_diagnostics::render_text(findings, &self.sources, color)).into()
    }
}

/// A file and perhaps a target of it, as the command line names them: `FILE` or `FILE:TARGET`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The file.
    pub path: String,
    /// The model or variant; `None`: the file's default.
    pub target: Option<String>,
}

impl std::str::FromStr for Reference {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        };
        Ok(match text.rsplit_once(':') {
            Some((path, target)) if is_name(target) && !path.is_empty() => {
                Self { path: path.to_owned(), target: Some(target.to_owned()) }
            }
            _ => Self { path: text.to_owned(), target: None },
        })
    }
}
