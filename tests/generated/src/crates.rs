//! Generated crates on disk: all of them members of one workspace with one copy of the runtime, so that it is compiled once.

use anyhow::{Context as _, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use svspec_codegen::Files;

const MANIFEST: &str =
    "[workspace]\nresolver = \"3\"\nmembers = [\"*\"]\n\n[profile.release]\ndebug = 0\nopt-level = 2\n";

/// A folder of generated crates.
#[derive(Clone, Debug)]
pub struct Crates {
    folder: PathBuf,
    target: PathBuf,
}

impl Crates {
    /// Writes `crates`, by name, below `folder`; what cargo builds goes to `target`.
    pub fn write(folder: &Path, target: &Path, crates: &[(String, Files)]) -> anyhow::Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        for (name, files) in crates {
            for (path, text) in files.own().iter() {
                let text = if path == "Cargo.toml" { member_manifest(text) } else { text.to_owned() };
                write(&folder.join(name).join(path), &text)?;
            }
        }
        let (_, first) = crates.first().context("no crates")?;
        for (path, text) in first.iter().filter(|(path, _)| path.starts_with("runtime/")) {
            write(&folder.join(path), text)?;
        }
        write(&folder.join("Cargo.toml"), MANIFEST)?;
        write(&folder.join("Cargo.lock"), first.get("Cargo.lock").context("no lock file")?)?;
        Ok(Self { folder: folder.to_owned(), target: target.to_owned() })
    }

    /// Writes one crate as `svc build` does, runtime included.
    pub fn write_alone(folder: &Path, target: &Path, files: &Files) -> anyhow::Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        for (path, text) in files.iter() {
            write(&folder.join(path), text)?;
        }
        Ok(Self { folder: folder.to_owned(), target: target.to_owned() })
    }

    /// Runs `cargo ARGUMENTS` there; an error holds what it printed.
    pub fn cargo(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments).current_dir(&self.folder).env("CARGO_TARGET_DIR", &self.target);
        let output = command.output()?;
        if !output.status.success() {
            let text = [output.stdout, output.stderr].concat();
            bail!("cargo {}:\n{}", arguments.join(" "), String::from_utf8_lossy(&text));
        }
        Ok(())
    }

    /// Runs the program of the crate `name`.
    pub fn run(&self, name: &str, arguments: &[&Path]) -> anyhow::Result<()> {
        let output = Command::new(self.target.join("release").join(name)).args(arguments).output()?;
        if !output.status.success() {
            bail!("{name}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }
}

/// The manifest without what makes the crate a workspace of its own.
fn member_manifest(manifest: &str) -> String {
    let own = manifest.split("\n# A workspace of its own").next().unwrap_or(manifest);
    own.replace("path = \"runtime\"", "path = \"../runtime\"")
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).with_context(|| path.display().to_string())
}
