//! Why a run could not go on.

use crate::checkpoint::CheckpointError;
use crate::corpus::CorpusError;
use crate::device::NoCuda;
use crate::dist::TeamError;
use crate::ffi::TorchError;
use crate::foreign::ForeignError;
use crate::metrics::MetricsError;
use crate::summary::SummaryError;
use std::io;
use std::path::PathBuf;

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
    /// The loss ran away.
    #[error(
        "training diverged at step {step}: loss {loss}, gradient norm {grad_norm}; lower lr, or warm up for longer"
    )]
    Diverged {
        /// The step.
        step: u64,
        /// Its loss.
        loss: f64,
        /// Its gradient's norm.
        grad_norm: f64,
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
