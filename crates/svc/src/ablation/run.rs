//! One training of an ablation and how it stands in its folder: a run that has finished is not done again.

use crate::run_folder;
use anyhow::Context as _;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::File;
use std::path::{Path, PathBuf};

/// In the folder of a run that diverged.
const DIVERGED: &str = "diverged.txt";
/// Begins the name of the folder of runs at other learning rates than the spec's.
const RATE: &str = "lr-";

/// A variant, trained with a seed at the spec's learning rates times a factor.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The variant.
    pub variant: String,
    /// The seed.
    pub seed: u64,
    /// What every learning rate is multiplied by.
    pub lr_scale: f64,
    /// Its folder.
    pub folder: PathBuf,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It has not begun, or has left nothing to go on from.
    New,
    /// It was stopped with a checkpoint.
    Stopped,
    /// It is done.
    Finished,
    /// Its loss ran away; it would again.
    Diverged,
}

/// The right to train a run, which one process has at a time. It ends when it is dropped, or with the process.
#[derive(Debug)]
pub struct Claim(#[expect(dead_code, reason = "held for as long as it is open")] File);

impl Run {
    /// The run of `variant`, whose runs lie in the folder `of_variant`: `seed-0`, or `lr-0.5/seed-0` at another rate.
    pub fn new(variant: &str, of_variant: &Path, seed: u64, lr_scale: f64) -> Self {
        let is_the_specs = lr_scale.total_cmp(&1.0).is_eq();
        let of_rate =
            if is_the_specs { of_variant.to_owned() } else { of_variant.join(format!("{RATE}{lr_scale}")) };
        let folder = of_rate.join(format!("seed-{seed}"));
        Self { variant: variant.to_owned(), seed, lr_scale, folder }
    }

    /// "unified, seed 0", "unified, seed 0, learning rate × 0.5".
    pub fn name(&self) -> String {
        let Self { variant, seed, lr_scale, .. } = self;
        if lr_scale.total_cmp(&1.0).is_eq() {
            return format!("{variant}, seed {seed}");
        }
        format!("{variant}, seed {seed}, learning rate × {lr_scale}")
    }

    /// How it stands.
    pub fn progress(&self) -> anyhow::Result<Progress> {
        if run_folder::summary(&self.folder)?.is_some() {
            return Ok(Progress::Finished);
        }
        if self.folder.join(DIVERGED).exists() {
            return Ok(Progress::Diverged);
        }
        if run_folder::is_resumable(&self.folder) {
            return Ok(Progress::Stopped);
        }
        Ok(Progress::New)
    }

    /// Removes what a run has left that never began.
    pub fn clear(&self) -> anyhow::Result<()> {
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder)
                .with_context(|| format!("cannot remove `{}`", self.folder.display()))?;
        }
        Ok(())
    }

    /// Notes that its loss ran away.
    pub fn mark_diverged(&self) -> anyhow::Result<()> {
        let path = self.folder.join(DIVERGED);
        std::fs::write(&path, "The loss or a gradient became no number; the same run would diverge again.\n")
            .with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// The terminal validation loss; `None` of a run that diverged.
    pub fn loss(&self) -> anyhow::Result<Option<f64>> {
        Ok(run_folder::summary(&self.folder)?.map(|summary| summary.val_loss))
    }

    /// The right to train it; `None` while another process has it.
    pub fn claim(&self) -> anyhow::Result<Option<Claim>> {
        let path = self.folder.with_extension("lock");
        let attempt = || -> std::io::Result<Option<Claim>> {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let file = File::create(&path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) => Ok(None),
                locked => Ok(locked.map(|()| Some(Claim(file)))?),
            }
        };
        attempt().with_context(|| format!("cannot lock `{}`", path.display()))
    }
}

/// Whether `folder` is one for runs at other learning rates.
pub fn is_of_a_rate(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(RATE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_has_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let run = Run::new("hg", folder.path(), 3, 0.5);
        assert_eq!(run.folder, folder.path().join("lr-0.5/seed-3"));
        assert_eq!(run.name(), "hg, seed 3, learning rate × 0.5");
        let claim = run.claim().unwrap().unwrap();
        assert!(run.claim().unwrap().is_none());
        drop(claim);
        assert!(run.claim().unwrap().is_some());
    }

    #[test]
    fn a_run_that_diverged_is_not_begun_again() {
        let folder = tempfile::tempdir().unwrap();
        let run = Run::new("hg", folder.path(), 0, 1.0);
        assert_eq!(run.progress().unwrap(), Progress::New);
        std::fs::create_dir_all(&run.folder).unwrap();
        run.mark_diverged().unwrap();
        assert_eq!((run.progress().unwrap(), run.loss().unwrap()), (Progress::Diverged, None));
    }
}
