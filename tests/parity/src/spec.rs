//! A spec file with its imports to checked models.

use anyhow::{Context as _, bail};
use std::fs;
use std::path::Path;
use svspec_codegen::SpecSource;
use svspec_diagnostics::{Color, Sources, render_text};
use svspec_ir::{CheckedModel, Loader, Program, check};

/// Reads imports from the disk, relative to their importer.
struct Disk;

impl Loader for Disk {
    fn load(&mut self, importer: &str, path: &str) -> Result<(String, String), String> {
        let path = Path::new(importer).parent().unwrap_or(Path::new("")).join(path);
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        Ok((path.display().to_string(), text))
    }
}

/// A spec file and what it imports; a warning is a fault here.
#[derive(Clone, Debug)]
pub struct Spec {
    source: SpecSource,
    sources: Sources,
    program: Program,
}

impl Spec {
    /// Reads and checks it.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let mut sources = Sources::new();
        let entry = sources.add(file.display().to_string(), text.clone());
        let (program, mut findings) = svspec_ir::load(&mut sources, entry, &mut Disk);
        findings.extend(check(&program, &sources));
        if !findings.is_empty() {
            bail!("{}", render_text(&findings, &sources, Color::Plain));
        }
        let file_name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { source: SpecSource { file_name, text }, sources, program })
    }

    /// Its models and variants.
    pub fn targets(&self) -> Vec<String> {
        self.program.targets()
    }

    /// One of them, with the text that it comes from.
    pub fn checked(&self, target: &str) -> anyhow::Result<(CheckedModel, SpecSource)> {
        match svspec_ir::compile(&self.program, &self.sources, target) {
            Ok(compiled) => Ok((compiled.checked, self.source.clone())),
            Err(findings) => bail!("{}", render_text(&findings, &self.sources, Color::Plain)),
        }
    }
}
