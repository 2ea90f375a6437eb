//! What all runs of a variant have in common in, whether the runs in its folder are of the same out.

use super::run;
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
    /// CPU threads of each run, where they are not the trainer's choice: they decide how sums round.
    threads: Option<u32>,
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
            threads: setting.threads,
        })
    }

    /// Makes `folder` the one of these runs. Runs that are there must be of this plan: a comparison of different things is
    /// worse than none.
    pub fn claim(&self, folder: &Path) -> anyhow::Result<()> {
        let path = folder.join(FILE);
        match std::fs::read_to_string(&path) {
            // A plan that nothing came of, say for want of its text, binds nobody.
            Ok(text) if has_runs(folder)? => self.require_same(&text, &path),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot read `{}`", path.display()))
            }
            Ok(_) | Err(_) => {
                let write = || -> std::io::Result<()> {
                    std::fs::create_dir_all(folder)?;
                    std::fs::write(&path, format!("{}\n", serde_json::to_string_pretty(self)?))
                };
                write().with_context(|| format!("cannot write `{}`", path.display()))
            }
        }
    }

    fn require_same(&self, text: &str, path: &Path) -> anyhow::Result<()> {
        let old: Value = serde_json::from_str(text)
            .with_context(|| format!("`{}` is not a plan of `svc ablate`", path.display()))?;
        if old != serde_json::to_value(self).context("a plan is plain data")? {
            bail!(
                "the runs beside `{}` are of another spec, length, text, device or number of threads: name another \
                 folder with --out, or remove that one",
                path.display()
            );
        }
        Ok(())
    }
}

/// Whether a run in `folder`, or in one of the folders of other learning rates there, has anything to go on from.
fn has_runs(folder: &Path) -> anyhow::Result<bool> {
    let cannot = || format!("cannot read `{}`", folder.display());
    for entry in std::fs::read_dir(folder).with_context(cannot)? {
        let inner = entry.with_context(cannot)?.path();
        if inner.is_dir()
            && (run_folder::is_resumable(&inner)
                || run_folder::summary(&inner)?.is_some()
                || run::is_of_a_rate(&inner) && has_runs(&inner)?)
        {
            return Ok(true);
        }
    }
    Ok(false)
}
