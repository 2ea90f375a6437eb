//! Snapshots in, checkpoints on the disk out, while training goes on: one is written at a time.

use super::{CheckpointError, Keep, Snapshot, save};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

/// Writes the checkpoints of one run.
#[derive(Debug)]
pub struct Writer {
    run: PathBuf,
    keep: Keep,
    running: Option<JoinHandle<Result<(), CheckpointError>>>,
}

impl Writer {
    /// For the run in `run`. What a crash kept an earlier sitting from putting away is put away first.
    pub fn open(run: PathBuf, keep: Keep) -> Result<Self, CheckpointError> {
        keep.tidy(&run)?;
        Ok(Self { run, keep, running: None })
    }

    /// Begins to write `snapshot`, once the one before is on the disk. `before` is done first: it brings to the disk what
    /// the checkpoint counts on.
    pub fn begin(
        &mut self,
        snapshot: Snapshot,
        before: impl FnOnce() -> Result<(), CheckpointError> + Send + 'static,
    ) -> Result<(), CheckpointError> {
        self.finish()?;
        let (run, keep) = (self.run.clone(), self.keep);
        let write = move || {
            before()?;
            save(&run, &snapshot, keep)
        };
        let started = thread::Builder::new().name("checkpoint".to_owned()).spawn(write);
        self.running = Some(started.map_err(|source| super::system("write", &self.run, source))?);
        Ok(())
    }

    /// Waits until what was begun is on the disk.
    pub fn finish(&mut self) -> Result<(), CheckpointError> {
        match self.running.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(written)) => written,
            Some(Err(_)) => Err(CheckpointError::Died(self.run.clone())),
        }
    }
}

impl Drop for Writer {
    /// Where the run ends by an error, that is the one to report.
    fn drop(&mut self) {
        let _ = self.finish();
    }
}
