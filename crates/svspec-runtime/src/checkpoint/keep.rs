//! The checkpoint that a newer one has replaced in; a place among those that are kept, or its removal, out.

use super::snapshot::{remove, rename, sync};
use super::{CheckpointError, PREVIOUS, RECORD_FILE, Record, system};
use crate::spec::Training;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where they lie: `checkpoints/step-00000500`.
const FOLDER: &str = "checkpoints";

/// Which checkpoints stay when newer ones are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    last: u64,
    every_steps: Option<u64>,
}

impl Keep {
    /// What the spec says.
    pub fn new(training: &Training) -> Self {
        let every_steps = training.keep_every.map(|every| every.saturating_mul(training.checkpoint_every));
        Self { last: training.keep_last.max(1), every_steps }
    }

    /// Whether the checkpoint of `step` stays for good.
    fn is_for_good(self, step: u64) -> bool {
        self.every_steps.is_some_and(|every| step.is_multiple_of(every))
    }

    /// Puts the previous checkpoint, if it has been replaced, in its place, and removes what need not stay.
    pub(super) fn tidy(self, run: &Path) -> Result<(), CheckpointError> {
        if run.join(super::FOLDER).is_dir() {
            self.retire(run)?;
        }
        self.drop_surplus(run)
    }

    /// Moves the previous checkpoint, if there is one, to those that are kept, or removes it.
    pub(super) fn retire(self, run: &Path) -> Result<(), CheckpointError> {
        let previous = run.join(PREVIOUS);
        let Some(step) = step_of(&previous) else { return remove(&previous) };
        if self.last == 1 && !self.is_for_good(step) {
            return remove(&previous);
        }
        let folder = run.join(FOLDER);
        fs::create_dir_all(&folder).map_err(|source| system("write", &folder, source))?;
        let place = folder.join(format!("step-{step:08}"));
        remove(&place)?;
        rename(&previous, &place)?;
        sync(&folder)
    }

    /// Removes those that are neither among the last ones nor kept for good.
    fn drop_surplus(self, run: &Path) -> Result<(), CheckpointError> {
        let old = old(&run.join(FOLDER))?;
        // The newest of the last ones is the checkpoint itself.
        let num_surplus = old.len().saturating_sub(self.last as usize - 1);
        for (_, path) in old.iter().take(num_surplus).filter(|(step, _)| !self.is_for_good(*step)) {
            remove(path)?;
        }
        Ok(())
    }
}

/// Those that are there, by step. What has another name is not ours.
fn old(folder: &Path) -> Result<Vec<(u64, PathBuf)>, CheckpointError> {
    let failed = |source| system("read", folder, source);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(step) = name.and_then(|name| name.strip_prefix("step-")?.parse().ok()) {
            found.push((step, path));
        }
    }
    found.sort();
    Ok(found)
}

/// The step of a complete checkpoint.
fn step_of(folder: &Path) -> Option<u64> {
    let text = fs::read_to_string(folder.join(RECORD_FILE)).ok()?;
    serde_json::from_str::<Record>(&text).ok().map(|record| record.step)
}
