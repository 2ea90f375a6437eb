//! Generated crates through cargo: a crate's folder in, its trainer's executable out.

use crate::interrupt;
use crate::outcome::Stopped;
use crate::terminal;
use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, ChildStdout, Command, Stdio};
use std::time::Duration;

/// What compiling takes.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// The folder of LibTorch.
    pub libtorch: PathBuf,
    /// The folder of the runtime's source, compiled in place of the equal copy that each crate carries.
    pub runtime: PathBuf,
    /// The build folder that all generated crates share.
    pub target: PathBuf,
}

/// One package of a crate's locked dependencies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The folder with its sources.
    pub folder: PathBuf,
}

/// The cargo that runs this process, or the one on the path.
pub fn program() -> String {
    std::env::var("CARGO").ok().filter(|value| !value.is_empty()).unwrap_or_else(|| "cargo".to_owned())
}

fn cargo(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(program());
    command
        .args(arguments)
        .arg("--locked")
        .arg("--manifest-path")
        .arg(folder.join("Cargo.toml"))
        .stdin(Stdio::null());
    command
}

/// The locked dependencies of the crate in `folder`, fetched where they are not there yet.
pub fn packages(folder: &Path) -> anyhow::Result<Vec<Package>> {
    let mut command = cargo(&["metadata", "--format-version=1", "--quiet"], folder);
    // Other platforms' packages are not fetched.
    command.args(["--filter-platform", &format!("{}-unknown-linux-gnu", std::env::consts::ARCH)]);
    let output = command.output().with_context(|| format!("cannot run `{}`", program()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("cargo cannot resolve the dependencies of `{}`:\n{}", folder.display(), said.trim());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata speaks JSON")?;
    let package = |package: &Value| {
        let text = |key| package.get(key).and_then(Value::as_str).map(str::to_owned);
        let folder = PathBuf::from(text("manifest_path")?).parent()?.to_owned();
        Some(Package { name: text("name")?, version: text("version")?, folder })
    };
    let packages = metadata.get("packages").and_then(Value::as_array);
    Ok(packages.into_iter().flatten().filter_map(package).collect())
}

/// Compiles the crate in `folder`, and says where its executable is. Quiet but for a progress line; the compiler's
/// words are shown if it fails.
pub fn build(folder: &Path, name: &str, toolchain: &Toolchain) -> anyhow::Result<PathBuf> {
    let num_packages = packages(folder)?.len() as u64;
    // Cargo compiles a package once for each folder that it lies in.
    let shared = format!("paths=[{}]", serde_json::to_string(&toolchain.runtime)?);
    let bar = bar(name, num_packages)?;
    let caught = interrupt::catch()?;
    let mut child = cargo(&["build", "--release", "--message-format=json-render-diagnostics"], folder)
        .args(["--config", &shared])
        .env("LIBTORCH", &toolchain.libtorch)
        .env("CARGO_TARGET_DIR", &toolchain.target)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that the compilers that it starts can be ended with it.
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot run `{}`", program()))?;
    let group = Pid::from_child(&child);
    let watch = caught.watch(move |_| {
        // It may have ended already.
        let _ = kill_process_group(group, Signal::TERM);
    });
    let stderr = child.stderr.take().context("the pipe was asked for")?;
    let waiting = bar.clone();
    let reader = std::thread::spawn(move || listen(stderr, &waiting));
    let stdout = child.stdout.take().context("the pipe was asked for")?;
    let executable = follow(stdout, name, &bar);
    let status = child.wait().context("cannot wait for cargo");
    let said = reader.join().unwrap_or_default();
    if watch.end() {
        return Err(Stopped("while compiling; the same command goes on from here").into());
    }
    let (executable, status) = (executable?, status?);
    match executable {
        Some(executable) if status.success() => Ok(executable),
        Some(_) | None => {
            bail!("cargo cannot compile `{}`:\n{}", folder.display(), without_progress(&said).trim_end())
        }
    }
}

fn bar(name: &str, num_packages: u64) -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(num_packages);
    bar.set_style(ProgressStyle::with_template("compiling {msg} {bar:30} {pos} of {len} crates, {elapsed}")?);
    bar.set_message(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(500));
    Ok(bar)
}

/// What cargo says beside its messages. That it waits is shown at once: another build may take minutes.
fn listen(stderr: ChildStderr, bar: &ProgressBar) -> String {
    let mut said = String::new();
    // What cannot be read of an error message is only missing from ours.
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if line.trim_start().starts_with("Blocking waiting for file lock") {
            let text = "waiting for another cargo to leave the shared build folder";
            if bar.is_hidden() { terminal::note(text) } else { bar.set_message(text) }
        }
        said.push_str(&line);
        said.push('\n');
    }
    said
}

/// Draws progress from cargo's messages until they end; hands back the executable that they name.
fn follow(stdout: ChildStdout, name: &str, bar: &ProgressBar) -> anyhow::Result<Option<PathBuf>> {
    let mut executable = None;
    let mut done = std::collections::BTreeSet::new();
    for line in BufReader::new(stdout).lines() {
        let line = line.context("cannot read cargo's messages")?;
        let Ok(message) = serde_json::from_str::<Value>(&line) else { continue };
        if message.get("reason").and_then(Value::as_str) != Some("compiler-artifact") {
            continue;
        }
        bar.set_message(name.to_owned());
        if let Some(package) = message.get("package_id").and_then(Value::as_str) {
            done.insert(package.to_owned());
        }
        bar.set_position((done.len() as u64).min(bar.length().unwrap_or_default()));
        if let Some(path) = message.get("executable").and_then(Value::as_str) {
            executable = Some(PathBuf::from(path));
        }
    }
    bar.finish_and_clear();
    Ok(executable)
}

/// cargo's standard error without the lines that only tell of progress.
fn without_progress(said: &str) -> String {
    let is_progress = |line: &&str| {
        let first = line.trim_start().split(' ').next().unwrap_or("");
        line.starts_with("   ")
            && matches!(first, "Compiling" | "Checking" | "Finished" | "Fresh" | "Downloaded")
    };
    said.split_inclusive('\n').filter(|line| !is_progress(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compilers_words_are_kept() {
        let said =
            "   Compiling nano v0.1.0\nerror: failed to run custom build command\n   --> src/main.rs:1\n";
        assert_eq!(
            without_progress(said),
            "error: failed to run custom build command\n   --> src/main.rs:1\n"
        );
    }
}
