//! A compiled trainer as a child process: its arguments in, how it ended out.

use crate::interrupt;
use crate::turn::Turn;
use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::SIGINT;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;

/// The exit code of a trainer that was told to stop and has written its checkpoint.
const INTERRUPTED: i32 = 130;
/// The exit code of one whose loss or gradient became no number.
const DIVERGED: i32 = 3;

/// How a trainer ended that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All steps are done.
    Finished,
    /// It was told to stop, and has written a checkpoint.
    Interrupted,
    /// The loss ran away.
    Diverged,
}

/// Runs `executable` on this process's own terminal. Signals reach it, and it is waited for: a stopped run ends with
/// its checkpoint written. `turn` ends once it has been started: then its file may be replaced.
pub fn run(
    executable: &Path,
    arguments: &[OsString],
    libtorch: &Path,
    turn: Option<Arc<Turn>>,
) -> anyhow::Result<Ended> {
    let caught = interrupt::catch()?;
    let mut child = Command::new(executable)
        .args(arguments)
        .env("LD_LIBRARY_PATH", library_path(libtorch))
        .spawn()
        .with_context(|| format!("cannot run the trainer `{}`", executable.display()))?;
    drop(turn);
    let pid = Pid::from_child(&child);
    let watch = caught.watch(move |signal| forward(signal, pid));
    let status = wait(&mut child);
    watch.end();
    conclude(status?)
}

fn wait(child: &mut Child) -> anyhow::Result<ExitStatus> {
    child.wait().context("cannot wait for the trainer")
}

/// Passes a signal on. A terminal's Ctrl-C reaches every process in the foreground, the trainer too, by itself.
fn forward(signal: i32, trainer: Pid) {
    let signal = match signal {
        SIGINT if std::io::stdin().is_terminal() => return,
        SIGINT => Signal::INT,
        _ => Signal::TERM,
    };
    // It may have ended already.
    let _ = kill_process(trainer, signal);
}

fn conclude(status: ExitStatus) -> anyhow::Result<Ended> {
    match status.code() {
        Some(0) => Ok(Ended::Finished),
        Some(INTERRUPTED) => Ok(Ended::Interrupted),
        Some(DIVERGED) => Ok(Ended::Diverged),
        Some(code) => bail!("the trainer could not go on (exit code {code}); it has said why above"),
        None => bail!(
            "the trainer was killed ({status}); the last checkpoint stands, and --resume goes on from it"
        ),
    }
}

/// LibTorch's libraries before whatever the user's search path holds.
fn library_path(libtorch: &Path) -> OsString {
    let mut path = libtorch.join("lib").into_os_string();
    if let Some(old) = std::env::var_os("LD_LIBRARY_PATH").filter(|old| !old.is_empty()) {
        path.push(":");
        path.push(old);
    }
    path
}
