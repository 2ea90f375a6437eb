//! A run's folder: what the trainer leaves there, and beside it the spec and the generated source that it came from.

mod origin;
mod record;

pub use origin::{Recorded, record, recorded};
pub use record::{
    Evaluation, Fault, Row, ScaleRow, StepSeconds, Summary, evaluations, faults, rows, scales, summary,
};

use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};

/// A new folder `runs/NAME-001`, with the next number that is free.
pub fn create(name: &str) -> anyhow::Result<PathBuf> {
    let runs = Path::new("runs");
    std::fs::create_dir_all(runs).context("cannot make the folder `runs`")?;
    for number in 1..10_000 {
        let folder = runs.join(format!("{name}-{number:03}"));
        match std::fs::create_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            created => {
                created.with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
                return Ok(folder);
            }
        }
    }
    bail!("`runs` holds 9,999 runs of `{name}`: move some away")
}

/// Makes the folder that the user has named for a new run; it may be there, if it is empty.
pub fn create_at(folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{shown}`"))?;
    require_empty(folder)
}

/// An error if a new run cannot have `folder`; said before minutes of compiling, not after.
pub fn require_free(folder: &Path) -> anyhow::Result<()> {
    if folder.is_file() {
        bail!("`{}` is a file: name a folder", folder.display());
    }
    if folder.is_dir() { require_empty(folder) } else { Ok(()) }
}

fn require_empty(folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    let mut entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read the folder `{shown}`"))?;
    if entries.next().is_some() {
        bail!("`{shown}` is not empty: name a new folder, or go on with the run in it by --resume");
    }
    Ok(())
}

/// Removes what was recorded of a run whose trainer has left nothing, so that it is not in the way of the next.
pub fn discard_unless_begun(run: &Path) -> anyhow::Result<()> {
    if run.join("metrics.jsonl").exists() || is_resumable(run) {
        return Ok(());
    }
    std::fs::remove_dir_all(run).with_context(|| format!("cannot remove `{}`", run.display()))
}

/// Whether the trainer can go on: from a checkpoint, or, where it was killed before the first, from its beginning.
pub fn is_resumable(run: &Path) -> bool {
    ["checkpoint/state.json", "checkpoint.previous/state.json", "begun.json"]
        .iter()
        .any(|record| run.join(record).is_file())
}
