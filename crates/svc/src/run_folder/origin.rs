//! The spec, its imports and the generated source in a run's folder: written at the start, read to resume.

use crate::generate::{Generated, Target};
use crate::read::Origin;
use crate::spec::Spec;
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const FILE: &str = "svc.json";
const FORMAT_VERSION: u32 = 2;

/// How a run was made, so that it can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    format_version: u32,
    /// The spec's path within the run's folder.
    pub spec: String,
    /// The model or variant.
    pub target: String,
    /// The rewrites that were left out.
    pub without: Vec<String>,
    /// What it trains on, as `--data` names it; none: the default corpus.
    pub data: Vec<PathBuf>,
}

/// A file of whatever version.
#[derive(Debug, Deserialize)]
struct Version {
    format_version: u32,
}

impl Recorded {
    /// The target and rewrites, as the command line would name them.
    pub fn target(&self) -> anyhow::Result<Target> {
        let without = self.without.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
        Ok(Target { variant: Some(self.target.clone()), without })
    }

    /// The run's own copy of its spec.
    pub fn open(&self, run: &Path) -> anyhow::Result<Spec> {
        let path = run.join(&self.spec);
        let path = path.to_str().with_context(|| format!("`{}` is not UTF-8", path.display()))?;
        Spec::open(&Origin::Disk, path)
    }
}

/// Copies `spec` with its imports to `spec/`, the generated source without the runtime to `source/`, and writes how
/// the run was made.
pub fn record(
    run: &Path,
    spec: &Spec,
    generated: &Generated,
    target: &Target,
    data: &[PathBuf],
) -> anyhow::Result<()> {
    let files = copies(spec)?;
    let entry = files.first().map(|(path, _)| path.clone()).context("a spec has a file")?;
    for (path, text) in &files {
        write(&run.join(path), text)?;
    }
    for (path, text) in generated.files.iter().filter(|(path, _)| !path.starts_with("runtime/")) {
        write(&run.join("source").join(path), text)?;
    }
    let data: std::io::Result<Vec<PathBuf>> = data.iter().map(std::path::absolute).collect();
    let data = data.context("the path of what to train on")?;
    let recorded = Recorded {
        format_version: FORMAT_VERSION,
        spec: entry,
        target: generated.name.clone(),
        without: target.without.iter().map(|rewrite| rewrite.name().to_owned()).collect(),
        data,
    };
    let text = serde_json::to_string_pretty(&recorded).context("the record is plain data")?;
    write(&run.join(FILE), &format!("{text}\n"))
}

/// How the run in `run` was made.
pub fn recorded(run: &Path) -> anyhow::Result<Recorded> {
    if !run.is_dir() {
        bail!("there is no run `{}`", run.display());
    }
    let path = run.join(FILE);
    let text = std::fs::read_to_string(&path).with_context(|| {
        format!("`{}` is not a run of `svc train`: cannot read `{}`", run.display(), path.display())
    })?;
    let unsaid = || format!("`{}` does not say how the run was made", path.display());
    // By itself first: what else a file of another version says is not known.
    let Version { format_version } = serde_json::from_str(&text).with_context(unsaid)?;
    if format_version != FORMAT_VERSION {
        bail!(
            "`{}` has the format_version {format_version}, and this svc reads {FORMAT_VERSION}",
            path.display()
        );
    }
    serde_json::from_str(&text).with_context(unsaid)
}

/// The spec's files, the entry first, by their place under `spec/`: imports keep their relative paths.
fn copies(spec: &Spec) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    // The program lists the entry last.
    for file in spec.program.files().iter().rev() {
        let source = spec.sources.get(file.source).context("a parsed file has a source")?;
        let path =
            std::path::absolute(&source.name).with_context(|| format!("the path `{}`", source.name))?;
        files.push((path, source.text.clone()));
    }
    let folder = files.iter().fold(None::<PathBuf>, |common, (path, _)| {
        let parent = path.parent().unwrap_or(Path::new("/"));
        Some(match common {
            None => parent.to_owned(),
            Some(common) => {
                common.ancestors().find(|folder| parent.starts_with(folder)).unwrap_or(parent).to_owned()
            }
        })
    });
    let folder = folder.context("a spec has a file")?;
    let place = |path: &Path| {
        let inside = path.strip_prefix(&folder).unwrap_or(path);
        Path::new("spec").join(inside).to_string_lossy().into_owned()
    };
    Ok(files.iter().map(|(path, text)| (place(path), text.clone())).collect())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let attempt = || -> std::io::Result<()> {
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        std::fs::write(path, text)
    };
    attempt().with_context(|| format!("cannot write `{}`", path.display()))
}
