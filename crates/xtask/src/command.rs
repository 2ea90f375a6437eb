//! Child processes, run from the checkout's top folder.

use crate::repository;
use anyhow::{Context, Result, ensure};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitStatus, Stdio};

/// `cargo ARGS`, by the cargo that runs this chore.
pub fn cargo(args: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    at_root(&cargo, args)
}

/// `svc ARGS`, built first where it has to be.
pub fn svc(args: &[&str]) -> Command {
    let mut command = cargo(&["run", "--release", "--quiet", "--package", "svc", "--"]);
    command.args(args);
    command
}

fn at_root(program: &OsStr, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(repository::root());
    command
}

/// Runs it with the terminal's own input and output; an error unless it succeeds.
pub fn succeed(mut command: Command) -> Result<()> {
    let shown = format!("{command:?}");
    let status = command.status().with_context(|| format!("cannot start {shown}"))?;
    ensure!(status.success(), "{shown} ended with {status}");
    Ok(())
}

/// Runs it, hands each line of its output to `line` as it comes, and returns how it ended. Its error output stays on
/// the terminal.
pub fn follow(mut command: Command, mut line: impl FnMut(&str)) -> Result<ExitStatus> {
    let shown = format!("{command:?}");
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {shown}"))?;
    let output = child.stdout.take().context("a piped output is there")?;
    for text in BufReader::new(output).split(b'\n') {
        line(&String::from_utf8_lossy(&text?));
    }
    Ok(child.wait()?)
}

/// Runs it and returns what it wrote; an error, with what it said, unless its exit code is among `accepted`.
pub fn output(mut command: Command, accepted: &[i32]) -> Result<String> {
    let shown = format!("{command:?}");
    let output = command.output().with_context(|| format!("cannot start {shown}"))?;
    let accepted = output.status.code().is_some_and(|code| accepted.contains(&code));
    ensure!(accepted, "{shown} ended with {}:\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
