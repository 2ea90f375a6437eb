//! Why processes do not go on together.

use crate::ffi::TorchError;
use std::time::Duration;

/// Why processes do not go on together.
#[derive(Debug, thiserror::Error)]
pub enum TeamError {
    /// The store is not there.
    #[error("process {rank} of {world} has no store at {host}:{port} to find the others by: {source}")]
    NoStore {
        /// This process.
        rank: usize,
        /// How many there are.
        world: usize,
        /// Where they meet.
        host: String,
        /// The port there.
        port: u16,
        /// What c10d says.
        source: TorchError,
    },
    /// Others are not there.
    #[error(
        "of {world} processes, {} not come within {}: start all of them, or say --timeout",
        numbers(.missing, "has", "have"), seconds(.timeout)
    )]
    NotThere {
        /// How many there should be.
        world: usize,
        /// Which are not there.
        missing: Vec<usize>,
        /// How long this one waited.
        timeout: Duration,
    },
    /// Others were there, and cannot be connected to.
    #[error("process {rank} of {world} could not connect to the others: {source}")]
    NoGroup {
        /// This process.
        rank: usize,
        /// How many there are.
        world: usize,
        /// What c10d says.
        source: TorchError,
    },
    /// A collective failed.
    #[error("process {rank} of {world} lost the others while {doing}: {source}{}", after(.reasons))]
    Lost {
        /// This process.
        rank: usize,
        /// How many there are.
        world: usize,
        /// What they were doing.
        doing: &'static str,
        /// What c10d says.
        source: TorchError,
        /// What is known of the others.
        reasons: Vec<String>,
        /// The first of those that go on, this one among them.
        first: usize,
    },
    /// Another one stopped.
    #[error("process {rank} could not begin, and has said why; the others do not go on without it")]
    Elsewhere {
        /// Which.
        rank: usize,
    },
    /// They would not train the same.
    #[error(
        "process {rank} has {what} {found}, and process 0 {wanted}: start all with the same program, arguments and files"
    )]
    Differs {
        /// Which.
        rank: usize,
        /// In what.
        what: &'static str,
        /// What it has.
        found: String,
        /// What process 0 has.
        wanted: String,
    },
    /// The batch cannot be divided.
    #[error("a batch of {batch} sequences cannot be divided among {world} processes: {}", instead(*.batch, *.world))]
    Batch {
        /// Sequences in a batch.
        batch: u64,
        /// How many processes there are.
        world: usize,
    },
    /// A restart would not find its run.
    #[error("what started this run may start it again: say where the run is, by --out or --resume")]
    NoFolder,
    /// LibTorch refuses.
    #[error(transparent)]
    Torch(#[from] TorchError),
}

fn seconds(time: &Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// `process 3 has`, `processes 1, 2 have`.
fn numbers(ranks: &[usize], one: &str, several: &str) -> String {
    let list: Vec<String> = ranks.iter().map(ToString::to_string).collect();
    match ranks {
        [rank] => format!("process {rank} {one}"),
        _ => format!("processes {} {several}", list.join(", ")),
    }
}

fn after(reasons: &[String]) -> String {
    let parts: Vec<&str> = reasons.iter().flat_map(|reason| ["; ", reason.as_str()]).collect();
    parts.concat()
}

/// Numbers of processes, near the one there is, that divide the batch.
fn instead(batch: u64, world: usize) -> String {
    let world = world as u64;
    let fits = |count: &u64| batch.is_multiple_of(*count);
    let fewer = (1..world.min(batch + 1)).rev().find(fits).unwrap_or(1);
    match (world + 1..=batch).find(fits) {
        Some(more) => format!("start {fewer} or {more}, or change `batch`"),
        None => format!("start {fewer}, or change `batch`"),
    }
}
