//! `--nproc N` in, N processes of this program out, each with its place in its environment as torchrun would say it.

use crate::ffi::{self, Store, TorchError};
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// How often the processes are looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// A process stopped by a signal, with its checkpoint written.
const INTERRUPTED: i32 = 130;
/// As a trainer ends whose loss is no number any more.
const DIVERGED: i32 = 3;

/// Why there are no processes.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The system does not start them.
    #[error("cannot start process {rank} of {nproc}: {source}")]
    Start {
        /// Which.
        rank: usize,
        /// How many there should be.
        nproc: usize,
        /// The system's reason.
        source: io::Error,
    },
    /// They would not find each other.
    #[error("cannot serve a store for {nproc} processes: {source}")]
    Store {
        /// How many there should be.
        nproc: usize,
        /// c10d's reason.
        source: TorchError,
    },
    /// They have ended otherwise than they should.
    #[error("{0}")]
    Ended(String),
}

/// How all of them ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spawned {
    /// They are done.
    Done,
    /// A signal stopped them, and they have left a checkpoint.
    Interrupted,
    /// The loss or a gradient was no number any more.
    Diverged,
}

/// Runs this program `nproc` times with `arguments`, and waits. Signals that stop it reach them all; once one has failed, the others have
/// `timeout` to end.
pub fn spawn(
    nproc: usize,
    arguments: &[OsString],
    timeout: Duration,
    stop: &dyn Fn() -> bool,
) -> Result<Spawned, SpawnError> {
    let served = Store::serve("127.0.0.1", 0, timeout);
    // Served here, it outlives a process that dies.
    let (_store, port) = served.map_err(|source| SpawnError::Store { nproc, source })?;
    let mut children = Children(Vec::new());
    for rank in 0..nproc {
        let child = start(nproc, rank, port, arguments);
        children.0.push(child.map_err(|source| SpawnError::Start { rank, nproc, source })?);
    }
    children.wait(timeout, stop)
}

fn start(nproc: usize, rank: usize, port: u16, arguments: &[OsString]) -> io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments);
    for (name, value) in [
        ("RANK", rank),
        ("LOCAL_RANK", rank),
        ("WORLD_SIZE", nproc),
        ("LOCAL_WORLD_SIZE", nproc),
        ("MASTER_PORT", port.into()),
    ] {
        command.env(name, value.to_string());
    }
    command.env("MASTER_ADDR", "127.0.0.1").env("TORCHELASTIC_USE_AGENT_STORE", "True");
    ffi::end_with_this_process(&mut command);
    command.spawn()
}

/// Processes that do not outlive this value.
struct Children(Vec<Child>);

impl Children {
    fn wait(&mut self, timeout: Duration, stop: &dyn Fn() -> bool) -> Result<Spawned, SpawnError> {
        let mut ended: Vec<Option<ExitStatus>> = self.0.iter().map(|_| None).collect();
        let mut is_stopping = false;
        let mut failed_at: Option<Instant> = None;
        while ended.iter().any(Option::is_none) {
            for (child, ended) in self.0.iter_mut().zip(&mut ended) {
                if ended.is_none() {
                    // An error would mean that it is not ours: it is.
                    *ended = child.try_wait().unwrap_or_default();
                }
            }
            let has_failed = ended.iter().flatten().any(|status| !is_fine(*status));
            if has_failed && failed_at.is_none() {
                failed_at = Some(Instant::now());
            }
            if stop() && !is_stopping {
                is_stopping = true;
                let left = self.0.iter().zip(&ended).filter(|(_, ended)| ended.is_none());
                left.for_each(|(child, _)| ffi::ask_to_stop(child));
            }
            if failed_at.is_some_and(|at| at.elapsed() > timeout) {
                self.kill();
            }
            thread::sleep(GLANCE);
        }
        conclude(&ended.into_iter().flatten().collect::<Vec<_>>())
    }

    /// Ends those that are left, hanging ones too.
    fn kill(&mut self) {
        for child in &mut self.0 {
            // It may have ended by itself.
            let _ = child.kill();
        }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.kill();
        for child in &mut self.0 {
            let _ = child.wait();
        }
    }
}

fn is_fine(status: ExitStatus) -> bool {
    status.success() || status.code() == Some(INTERRUPTED)
}

fn conclude(ended: &[ExitStatus]) -> Result<Spawned, SpawnError> {
    let mut failed = Vec::new();
    for (rank, status) in ended.iter().enumerate().filter(|(_, status)| !is_fine(**status)) {
        failed.push(format!("process {rank} ended with {status}"));
    }
    if !failed.is_empty() && ended.iter().all(|status| status.code() == Some(DIVERGED)) {
        return Ok(Spawned::Diverged);
    }
    if !failed.is_empty() {
        // What they said themselves comes first.
        let _ = io::stderr().flush();
        return Err(SpawnError::Ended(failed.join("; ")));
    }
    if ended.iter().any(|status| status.code() == Some(INTERRUPTED)) {
        return Ok(Spawned::Interrupted);
    }
    Ok(Spawned::Done)
}
