//! Rows in, JSON Lines files out: `metrics.jsonl` and `scales.jsonl` of a run folder.

use crate::clock::Seconds;
use crate::scale_stats::ScaleStats;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Losses of a run, by step.
pub const METRICS_FILE: &str = "metrics.jsonl";
/// What was wrong with it, by step.
pub const HEALTH_FILE: &str = "health.jsonl";
/// Statistics of its scale vectors, by step.
pub const SCALES_FILE: &str = "scales.jsonl";

/// One optimizer step.
#[derive(Debug, Serialize)]
pub struct TrainRow<'a> {
    /// Steps taken, this one included.
    pub step: u64,
    /// Tokens seen.
    pub tokens: u64,
    /// The mean cross-entropy over the batch, before the step.
    pub loss: f64,
    /// The losses beside it, without their coefficients.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub side: BTreeMap<&'a str, f64>,
    /// The scheduled learning rate.
    pub lr: f64,
    /// That of each group.
    pub lrs: BTreeMap<&'a str, f64>,
    /// The global norm of the clipped groups' gradients, before clipping.
    pub grad_norm: f64,
    /// That of each group's gradients, clipped or not, before clipping.
    pub grad_norms: BTreeMap<&'a str, f64>,
    /// Over the steps since the last time the device was waited for.
    pub tokens_per_second: f64,
    /// Spent training since the run began.
    pub seconds: f64,
    /// Floating-point operations a second, of all processes: that speed times the spec's `flops_per_token`, forward and backward.
    pub flops_per_second: f64,
    /// See [`crate::observation::Observation::mfu`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfu: Option<f64>,
    /// The most memory so far, in the step before the device was waited for; see [`crate::device::peak_memory`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
    /// Where the time of that step went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_seconds: Option<Seconds>,
    /// Bytes that each process sent to others for the step, on average; none where there is one process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_sent: Option<u64>,
}

/// One pass over the validation windows.
#[derive(Debug, Serialize)]
pub struct EvalRow<'a> {
    /// Steps taken.
    pub step: u64,
    /// The mean loss.
    pub val_loss: f64,
    /// That of each set that `--val` names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub val_losses: &'a BTreeMap<String, f64>,
    /// See [`crate::sharpness`]; none where it was not asked for, or is no number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharpness: Option<f64>,
}

/// One scale vector at one step.
#[derive(Debug, Serialize)]
pub struct ScaleRow<'a> {
    /// Steps taken.
    pub step: u64,
    /// What it looks like.
    #[serde(flatten)]
    pub stats: &'a ScaleStats,
}

/// A row could not be written, or what was there not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{path}`: {source}")]
pub struct MetricsError {
    path: PathBuf,
    source: io::Error,
}

impl MetricsError {
    /// The system's reason why `path` could not be written.
    pub(crate) fn new(path: &Path, source: io::Error) -> Self {
        Self { path: path.to_owned(), source }
    }
}

/// An open file of rows.
#[derive(Debug)]
pub struct Rows {
    path: PathBuf,
    /// None where another process writes them.
    file: Option<BufWriter<File>>,
}

impl Rows {
    /// Rows that another process writes to `path`.
    pub fn elsewhere(path: &Path) -> Self {
        Self { path: path.to_owned(), file: None }
    }

    /// Opens `path` to go on after step `step`: rows of later steps, and a last one cut short, are dropped first. At step 0
    /// nothing has been written that is not written again.
    pub fn open(path: &Path, step: u64) -> Result<Self, MetricsError> {
        if step > 0 { Self::take_over(path, step) } else { Self::after(path, |_| 0) }
    }

    /// The same in place of a process that has written rows up to step `step`, which may be 0, and writes no more.
    pub fn take_over(path: &Path, step: u64) -> Result<Self, MetricsError> {
        Self::after(path, |bytes| kept_bytes(bytes, step))
    }

    fn after(path: &Path, kept: impl FnOnce(&[u8]) -> usize) -> Result<Self, MetricsError> {
        let failed = |source| MetricsError::new(path, source);
        let kept = match fs::read(path) {
            Ok(bytes) => kept(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(failed(error)),
        };
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
        file.set_len(kept as u64).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file: Some(BufWriter::new(file)) })
    }

    /// Adds a row.
    pub fn push(&mut self, row: &impl Serialize) -> Result<(), MetricsError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let written = serde_json::to_writer(&mut *file, row)
            .map_err(io::Error::from)
            .and_then(|()| file.write_all(b"\n"));
        written.map_err(|source| self.failed(source))
    }

    /// Hands the rows to the system, so that another program sees them.
    pub fn flush(&mut self) -> Result<(), MetricsError> {
        let flushed = self.file.as_mut().map_or(Ok(()), BufWriter::flush);
        flushed.map_err(|source| self.failed(source))
    }

    /// What waits, on whatever thread, until the rows so far are on the disk; before a checkpoint that counts on them.
    pub fn sync(&mut self) -> Result<impl FnOnce() -> Result<(), MetricsError> + Send + use<>, MetricsError> {
        self.flush()?;
        let file = self.file.as_ref().map(|file| file.get_ref().try_clone()).transpose();
        let file = file.map_err(|source| self.failed(source))?;
        let path = self.path.clone();
        let sync = move || file.map_or(Ok(()), |file| file.sync_all());
        Ok(move || sync().map_err(|source| MetricsError { path, source }))
    }

    fn failed(&self, source: io::Error) -> MetricsError {
        MetricsError::new(&self.path, source)
    }
}

/// The length of the whole rows at the start of `bytes` whose step is at most `step`.
fn kept_bytes(bytes: &[u8], step: u64) -> usize {
    let rows = bytes.split_inclusive(|&byte| byte == b'\n');
    rows.take_while(|row| row.ends_with(b"\n") && step_of(row).is_some_and(|found| found <= step))
        .map(<[u8]>::len)
        .sum()
}

fn step_of(row: &[u8]) -> Option<u64> {
    serde_json::from_slice::<serde_json::Value>(row).ok()?.get("step")?.as_u64()
}
