//! A spec in, its compiled trainer in the bundle's folder out.

use super::runtime;
use crate::command;
use crate::repository;
use crate::test::with_libtorch;
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Writes crates to a folder and compiles them, the runtime once for all of them.
pub struct Workshop {
    crates: PathBuf,
}

impl Workshop {
    /// In `folder`, whose crates of an earlier call are compiled again only where they differ.
    pub fn open(folder: &Path) -> Self {
        Self { crates: folder.to_owned() }
    }

    /// Compiles the trainer of `target` in `spec` and puts it at `to`.
    pub fn make(&self, spec: &Path, target: &str, to: &Path) -> Result<()> {
        let folder = self.crates.join(target);
        let text = |path: &Path| path.to_str().map(str::to_owned).context("paths of a checkout are UTF-8");
        let (spec, shown) = (text(spec)?, text(&folder)?);
        command::succeed(command::svc(&["build", &spec, "--variant", target, "--out", &shown]))?;
        let runtime = text(&runtime::shared(&folder.join("runtime"))?)?;
        let manifest = text(&folder.join("Cargo.toml"))?;
        let shared = format!("paths=[{}]", Value::from(runtime));
        let cargo = ["build", "--release", "--quiet", "--locked", "--message-format=json-render-diagnostics"];
        let arguments = [&cargo[..], &["--manifest-path", &manifest, "--config", &shared]].concat();
        let executable = executable(&arguments, target)?;
        let copied = std::fs::copy(&executable, to);
        copied.map(drop).with_context(|| format!("cannot copy {} to {}", executable.display(), to.display()))
    }
}

/// Compiles with these arguments to cargo; the executable of the target `name`.
pub fn executable(arguments: &[&str], name: &str) -> Result<PathBuf> {
    let mut cargo = with_libtorch(command::cargo(arguments))?;
    // The checkout's own, also for crates that are workspaces of their own.
    cargo.env("CARGO_TARGET_DIR", repository::target());
    let said = command::output(cargo, &[0])?;
    let messages = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut found = messages.filter_map(|message| {
        let is_it = message.pointer("/target/name").and_then(Value::as_str) == Some(name);
        let path = message.get("executable").and_then(Value::as_str).map(PathBuf::from);
        path.filter(|_| is_it)
    });
    found.next_back().with_context(|| format!("cargo names no executable `{name}`"))
}
