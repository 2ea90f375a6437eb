//! The workspace's lock file to `templates/Cargo.lock`: the dependencies of a generated crate, resolved by cargo.

use crate::{command, repository};
use anyhow::{Context, Result};
use std::fs;

/// Generates a crate, gives it the workspace's lock file, lets cargo drop from it what the crate does not need, and keeps
/// the rest without the crate itself.
pub fn refresh() -> Result<()> {
    let root = repository::root();
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("nano");
    let out_text = out.to_str().context("the temporary folder's name is not UTF-8")?;
    command::succeed(command::svc(&["build", "specs/nano.svspec", "--out", out_text]))?;
    let lock = out.join("Cargo.lock");
    fs::copy(root.join("Cargo.lock"), &lock)?;
    let manifest = out.join("Cargo.toml");
    let manifest = manifest.to_str().context("the temporary folder's name is not UTF-8")?;
    command::output(
        command::cargo(&["metadata", "--format-version", "1", "--manifest-path", manifest]),
        &[0],
    )?;
    let text = fs::read_to_string(&lock)?;
    let others: Vec<&str> =
        text.split("[[package]]\n").filter(|package| !package.starts_with("name = \"nano\"")).collect();
    fs::write(root.join("templates/Cargo.lock"), others.join("[[package]]\n"))?;
    Ok(())
}
