//! A spec's text to checked models, with all rewrites or none.

use anyhow::{Context as _, bail};
use svspec_codegen::{Files, Options, SpecSource};
use svspec_diagnostics::Sources;
use svspec_ir::rewrite::Rewrites;
use svspec_ir::{CheckedModel, Loader, Program};

/// A spec file that imports nothing.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Its name.
    pub file_name: String,
    /// Its text.
    pub text: String,
    sources: Sources,
    program: Program,
}

/// Finds no import.
struct Alone;

impl Loader for Alone {
    fn load(&mut self, importer: &str, path: &str) -> Result<(String, String), String> {
        Err(format!("`{importer}` imports `{path}`, and the specs of this suite import nothing"))
    }
}

impl Spec {
    /// Reads the spec.
    pub fn new(file_name: &str, text: &str) -> anyhow::Result<Self> {
        let mut sources = Sources::new();
        let entry = sources.add(file_name, text);
        let (program, faults) = svspec_ir::load(&mut sources, entry, &mut Alone);
        if let Some(fault) = faults.first() {
            bail!("{file_name}: {}", fault.message);
        }
        Ok(Self { file_name: file_name.to_owned(), text: text.to_owned(), sources, program })
    }

    /// Every model and variant of the file.
    pub fn targets(&self) -> Vec<String> {
        self.program.targets()
    }

    /// One of them, checked.
    pub fn checked(&self, target: &str) -> anyhow::Result<CheckedModel> {
        match svspec_ir::compile(&self.program, &self.sources, target) {
            Ok(compiled) => Ok(compiled.checked),
            Err(faults) => {
                let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
                bail!("`{target}` of {}: {}", self.file_name, messages.join("; "))
            }
        }
    }

    /// The crate of one of them.
    pub fn files(&self, target: &str, rewrites: Rewrites) -> anyhow::Result<Files> {
        let spec = SpecSource { file_name: self.file_name.clone(), text: self.text.clone() };
        let checked = self.checked(target)?;
        svspec_codegen::generate(&checked, &Options { rewrites, spec }).with_context(|| format!("`{target}`"))
    }
}
