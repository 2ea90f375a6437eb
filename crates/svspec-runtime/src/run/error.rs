//! Why a run could not go on.

use crate::checkpoint::CheckpointError;
use crate::corpus::CorpusError;
use crate::device::NoCuda;
use crate::dist::TeamError;
use crate::ffi::TorchError;
use crate::foreign::ForeignError;
use crate::health::Fault;
use crate::metrics::MetricsError;
use crate::summary::SummaryError;
use std::io;
use std::path::{Path, PathBuf};

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Nothing to train on.
    #[error("nothing to train on: pass --data with a file or a folder of text or tokens")]
    NoData,
    /// The run folder is taken.
    #[error("`{0}` already holds a run: choose another --out, or go on with it by --resume `{0}`")]
    Taken(PathBuf),
    /// The run folder cannot be made.
    #[error("cannot make the run folder `{path}`: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// An option that contradicts the run to resume.
    #[error(
        "{option} {given} contradicts the run in `{run}`, which has {recorded}: leave {option} out to go on with it"
    )]
    Contradiction {
        /// `--steps`, `--seed`, `--lr-scale`.
        option: &'static str,
        /// What the command line says.
        given: f64,
        /// What the run was begun with.
        recorded: f64,
        /// The run folder.
        run: PathBuf,
    },
    /// The text is not the one the run was begun with.
    #[error(
        "`{given}` is not what the run in `{run}` was begun with, in text and weights: pass that as --data"
    )]
    OtherCorpus {
        /// What was read.
        given: String,
        /// The run folder.
        run: PathBuf,
    },
    /// Something is wrong, and the spec says to stop then.
    #[error("training stopped at step {}: {fault}; {}", .fault.step, left(fault, *.steps, run))]
    Fault {
        /// What.
        fault: Fault,
        /// The steps that were taken, of which a checkpoint is left.
        steps: u64,
        /// The run folder.
        run: PathBuf,
    },
    /// Going back to a checkpoint does not help.
    #[error(
        "training stopped at step {}: {fault}, after {times} returns to step {to}; lower lr, or warm up for longer; the checkpoint stands in `{run}`",
        .fault.step
    )]
    RolledBack {
        /// What is wrong.
        fault: Fault,
        /// How often it went back.
        times: usize,
        /// The checkpoint's step.
        to: u64,
        /// The run folder.
        run: PathBuf,
    },
    /// The sample could not be written.
    #[error("cannot write `{path}`: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The parameters to begin with are at fault.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    /// Processes do not go on together.
    #[error(transparent)]
    Team(#[from] TeamError),
    /// The corpus is at fault.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// The checkpoint is at fault.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file of rows is at fault.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The summary is at fault.
    #[error(transparent)]
    Summary(#[from] SummaryError),
    /// The device is not there.
    #[error(transparent)]
    Device(#[from] NoCuda),
    /// LibTorch refuses.
    #[error(transparent)]
    Torch(#[from] TorchError),
}

fn left(fault: &Fault, steps: u64, run: &Path) -> String {
    let (run, cure) = (run.display(), fault.cure());
    match steps {
        0 => format!("no step was taken before it, and `{run}` has no checkpoint: {cure}"),
        _ => format!("`{run}` has the checkpoint of step {steps}: {cure}"),
    }
}
