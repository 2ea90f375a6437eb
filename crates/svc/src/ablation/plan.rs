//! The runs of an ablation and how each stands in its folder: a run that has finished is not done again.

use crate::generate::Generated;
use crate::hash::hash;
use crate::run_folder;
use crate::training::Setting;
use anyhow::{Context as _, bail};
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

const FILE: &str = "ablation.json";

/// What all runs of a variant have in common; an old run counts only if it is of the same plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    format_version: u32,
    /// SHA-256 of the generated crate.
    code: String,
    /// The steps, where the command line named them.
    steps: Option<u64>,
    /// The paths of what to train on; none: the default corpus.
    data: Vec<PathBuf>,
    /// The device, where the command line named it.
    device: Option<String>,
}

/// One training of an ablation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The variant.
    pub variant: String,
    /// The seed.
    pub seed: u64,
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
}

impl Plan {
    /// What a run of `generated` under `setting` would be.
    pub fn new(generated: &Generated, setting: &Setting) -> anyhow::Result<Self> {
        let text: Vec<&str> =
            generated.files.iter().flat_map(|(path, text)| [path.as_str(), "\n", text]).collect();
        let data: std::io::Result<Vec<PathBuf>> = setting.data.iter().map(std::path::absolute).collect();
        Ok(Self {
            format_version: 2,
            code: hash(text.concat().as_bytes()),
            steps: setting.steps,
            data: data.context("the path of --data")?,
            device: setting.device.map(|device| device.word().to_owned()),
        })
    }

    /// Where the runs of `variant` lie in the ablation's folder `out`, one for each seed. Runs that are there must be
    /// of this plan: a comparison of different things is worse than none.
    pub fn runs(&self, out: &Path, variant: &str, seeds: u64) -> anyhow::Result<Vec<Run>> {
        let folder = out.join(variant);
        let path = folder.join(FILE);
        match std::fs::read_to_string(&path) {
            // A plan that nothing came of, say for want of its text, binds nobody.
            Ok(text) if has_runs(&folder)? => self.require_same(&text, &path)?,
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
            }
            Ok(_) | Err(_) => {
                let write = || -> std::io::Result<()> {
                    std::fs::create_dir_all(&folder)?;
                    std::fs::write(&path, format!("{}\n", serde_json::to_string_pretty(self)?))
                };
                write().with_context(|| format!("cannot write `{}`", path.display()))?;
            }
        }
        let run =
            |seed| Run { variant: variant.to_owned(), seed, folder: folder.join(format!("seed-{seed}")) };
        Ok((0..seeds).map(run).collect())
    }

    fn require_same(&self, text: &str, path: &Path) -> anyhow::Result<()> {
        let old: Value = serde_json::from_str(text)
            .with_context(|| format!("`{}` is not a plan of `svc ablate`", path.display()))?;
        if old != serde_json::to_value(self).context("a plan is plain data")? {
            bail!(
                "the runs beside `{}` are of another spec, length, text or device: name another folder with --out, or \
                 remove that one",
                path.display()
            );
        }
        Ok(())
    }
}

/// Whether a run in `folder` has anything to go on from.
fn has_runs(folder: &Path) -> anyhow::Result<bool> {
    let cannot = || format!("cannot read `{}`", folder.display());
    for entry in std::fs::read_dir(folder).with_context(cannot)? {
        let run = entry.with_context(cannot)?.path();
        if run.is_dir() && (run_folder::is_resumable(&run) || run_folder::summary(&run)?.is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Run {
    /// How it stands. What a run has left that never began is removed.
    pub fn progress(&self) -> anyhow::Result<Progress> {
        if run_folder::summary(&self.folder)?.is_some() {
            return Ok(Progress::Finished);
        }
        if run_folder::is_resumable(&self.folder) {
            return Ok(Progress::Stopped);
        }
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder)
                .with_context(|| format!("cannot remove `{}`", self.folder.display()))?;
        }
        Ok(Progress::New)
    }
}
