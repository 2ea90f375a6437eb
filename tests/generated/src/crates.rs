//! Generated crates on disk: all of them members of one workspace with one copy of the runtime, so that it is compiled once.

use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
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
        let (_, first) = crates.first().context("no crates")?;
        let runtime = runtime_folder(first);
        let mut all = BTreeMap::new();
        for (name, files) in crates {
            for (path, text) in files.own().iter() {
                let text =
                    if path == "Cargo.toml" { member_manifest(text, &runtime) } else { text.to_owned() };
                all.insert(folder.join(name).join(path), text);
            }
        }
        for (path, text) in runtime_files(first) {
            all.insert(folder.join(&runtime).join(path), text.to_owned());
        }
        all.insert(folder.join("Cargo.toml"), MANIFEST.to_owned());
        all.insert(folder.join("Cargo.lock"), first.get("Cargo.lock").context("no lock file")?.to_owned());
        Self::at(folder, target, &all)
    }

    /// Writes one crate as `svc build` does, runtime included.
    pub fn write_alone(folder: &Path, target: &Path, files: &Files) -> anyhow::Result<Self> {
        let all = files.iter().map(|(path, text)| (folder.join(path), text.to_owned())).collect();
        Self::at(folder, target, &all)
    }

    /// Makes `folder` hold these files and no others. One that is there already stays as it is, so that cargo does not
    /// compile it again.
    fn at(folder: &Path, target: &Path, files: &BTreeMap<PathBuf, String>) -> anyhow::Result<Self> {
        remove_others(folder, files)?;
        for (path, text) in files {
            if fs::read_to_string(path).ok().as_ref() != Some(text) {
                fs::create_dir_all(path.parent().unwrap_or(folder))?;
                fs::write(path, text).with_context(|| path.display().to_string())?;
            }
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

/// Path and text of each file of the runtime.
fn runtime_files(files: &Files) -> impl Iterator<Item = (&str, &str)> {
    files.iter().filter_map(|(path, text)| Some((path.strip_prefix("runtime/")?, text)))
}

/// A name that is another for another text: workspaces that share a build folder also share what is built of packages that
/// stand at the same place in each, and cargo would take one's old runtime for the other's new one.
fn runtime_folder(files: &Files) -> String {
    let mut hasher = DefaultHasher::new();
    runtime_files(files).for_each(|file| file.hash(&mut hasher));
    format!("runtime-{:016x}", hasher.finish())
}

/// The manifest without what makes the crate a workspace of its own.
fn member_manifest(manifest: &str, runtime: &str) -> String {
    let own = manifest.split("\n# A workspace of its own").next().unwrap_or(manifest);
    own.replace("path = \"runtime\"", &format!("path = \"../{runtime}\""))
}

fn remove_others(folder: &Path, files: &BTreeMap<PathBuf, String>) -> anyhow::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(&path, files)?;
        } else if !files.contains_key(&path) {
            fs::remove_file(&path)?;
        }
    }
    // A folder without a manifest would be a faulty member of the workspace.
    if fs::read_dir(folder)?.next().is_none() {
        fs::remove_dir(folder)?;
    }
    Ok(())
}
