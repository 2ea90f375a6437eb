//! Snapshots in, checkpoints on the disk out, while training goes on: one is written at a time.
//!
//! The state is copied beside the next step, too, which changes nothing of it until it is taken; so a step waits only for what is
//! left to copy by then.

use super::{CheckpointError, Keep, Snapshot, save};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};

/// Writes the checkpoints of one run.
#[derive(Debug)]
pub struct Writer {
    run: PathBuf,
    keep: Keep,
    running: Option<JoinHandle<Result<(), CheckpointError>>>,
    /// Hears when the state has been copied.
    copying: Option<Receiver<()>>,
}

impl Writer {
    /// For the run in `run`. What a crash kept an earlier sitting from putting away is put away first.
    pub fn open(run: PathBuf, keep: Keep) -> Result<Self, CheckpointError> {
        keep.tidy(&run)?;
        Ok(Self { run, keep, running: None, copying: None })
    }

    /// Begins to copy and to write `snapshot`, once the one before is on the disk; nothing may change what it holds until
    /// [`Self::wait_for_copy`] says so. `before` is done before it is written: it brings to the disk what the checkpoint counts on.
    pub fn begin(
        &mut self,
        snapshot: Snapshot,
        before: impl FnOnce() -> Result<(), CheckpointError> + Send + 'static,
    ) -> Result<(), CheckpointError> {
        self.finish()?;
        let (run, keep) = (self.run.clone(), self.keep);
        let (copied, copying) = mpsc::channel();
        let write = move || {
            let snapshot = snapshot.copied();
            // Nobody hears it where the run has ended meanwhile.
            let _ = copied.send(());
            before()?;
            save(&run, &snapshot, keep)
        };
        let started = thread::Builder::new().name("checkpoint".to_owned()).spawn(write);
        self.running = Some(started.map_err(|source| super::system("write", &self.run, source))?);
        self.copying = Some(copying);
        Ok(())
    }

    /// Waits until the state that was last given is copied, and may be changed.
    pub fn wait_for_copy(&mut self) {
        if let Some(copying) = self.copying.take() {
            // Where the thread has died nothing reads the state any more; why is told when its end is waited for.
            let _ = copying.recv();
        }
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
