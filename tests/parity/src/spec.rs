//! A spec file with its imports to a checked model.

use anyhow::{Context as _, bail};
use std::fs;
use std::path::Path;
use svspec_codegen::SpecSource;
use svspec_diagnostics::{Color, Sources, render_text};
use svspec_ir::{CheckedModel, Loader, check};

/// Reads imports from the disk, relative to their importer.
struct Disk;

impl Loader for Disk {
    fn load(&mut self, importer: &str, path: &str) -> Result<(String, String), String> {
        let path = Path::new(importer).parent().unwrap_or(Path::new("")).join(path);
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        Ok((path.display().to_string(), text))
    }
}

/// The model or variant `target` of the file; a warning is a fault here.
pub fn checked(file: &Path, target: &str) -> anyhow::Result<(CheckedModel, SpecSource)> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let mut sources = Sources::new();
    let entry = sources.add(file.display().to_string(), text.clone());
    let (program, mut findings) = svspec_ir::load(&mut sources, entry, &mut Disk);
    findings.extend(check(&program, &sources));
    if !findings.is_empty() {
        bail!("{}", render_text(&findings, &sources, Color::Plain));
    }
    match svspec_ir::compile(&program, &sources, target) {
        Ok(compiled) => {
            let file_name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok((compiled.checked, SpecSource { file_name, text }))
        }
        Err(findings) => bail!("{}", render_text(&findings, &sources, Color::Plain)),
    }
}
