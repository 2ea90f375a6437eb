//! Spec files from disk, from standard input, or from a git revision: a path in, its text or a clear reason out.

use anyhow::{Context as _, bail};
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use svspec_ir::load::Loader;

/// The largest spec that is read; the language itself refuses larger ones.
const MAX_BYTES: u64 = 1 << 20;

/// Where specs are read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The files as they lie on disk; `-` is standard input.
    Disk,
    /// The files as a git revision has them.
    Revision(String),
}

impl Origin {
    /// The name that messages show for `path`: `specs/nano.svspec`, or `HEAD~1:specs/nano.svspec`.
    pub fn shown(&self, path: &str) -> String {
        match self {
            Self::Disk if path == "-" => "<stdin>".to_owned(),
            Self::Disk => path.to_owned(),
            Self::Revision(revision) => format!("{revision}:{path}"),
        }
    }

    /// Whether this is a git revision that is there and has no file at `path`.
    pub fn lacks(&self, path: &str) -> anyhow::Result<bool> {
        Ok(self.file(path)? == Some(false))
    }

    /// Whether this is a git revision that has a file at `path`.
    pub fn holds(&self, path: &str) -> anyhow::Result<bool> {
        Ok(self.file(path)? == Some(true))
    }

    /// Whether the revision has a file at `path`; `None` if this is no revision, or it is not there.
    fn file(&self, path: &str) -> anyhow::Result<Option<bool>> {
        let Self::Revision(revision) = self else { return Ok(None) };
        let is_there = |object: String| -> anyhow::Result<bool> {
            let asked = git(Path::new(path)).args(["cat-file", "-e", &object]).output();
            Ok(asked.context("cannot run `git`, which --base needs")?.status.success())
        };
        let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
        if revision.starts_with('-') || !is_there(format!("{revision}^{{commit}}"))? {
            return Ok(None);
        }
        is_there(format!("{revision}:./{name}")).map(Some)
    }

    /// The text of the spec at `path`.
    pub fn read(&self, path: &str) -> anyhow::Result<String> {
        let bytes = match self {
            Self::Disk if path == "-" => read_stream(std::io::stdin().lock(), "<stdin>")?,
            Self::Disk => read_file(Path::new(path))?,
            Self::Revision(revision) => read_revision(revision, Path::new(path))?,
        };
        let shown = self.shown(path);
        if bytes.contains(&0) {
            bail!("`{shown}` is a binary file, not a spec");
        }
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            anyhow::anyhow!("`{shown}` is not UTF-8 text (byte {at}): save it as UTF-8")
        })
    }
}

/// Follows imports, relative to the file that imports.
impl Loader for Origin {
    fn load(&mut self, importer: &str, path: &str) -> Result<(String, String), String> {
        let importer = match self {
            Self::Disk => importer,
            Self::Revision(revision) => importer
                .strip_prefix(revision.as_str())
                .and_then(|rest| rest.strip_prefix(':'))
                .unwrap_or(importer),
        };
        let folder = Path::new(importer).parent().unwrap_or(Path::new(""));
        let joined = normalize(&folder.join(path));
        let joined = joined.to_str().ok_or_else(|| format!("`{}` is not UTF-8", joined.display()))?;
        let text = self.read(joined).map_err(|error| format!("{error:#}"))?;
        Ok((self.shown(joined), text))
    }
}

fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    let shown = path.display().to_string();
    let metadata = std::fs::metadata(path).with_context(|| format!("cannot read `{shown}`"))?;
    if metadata.is_dir() {
        bail!(
            "`{shown}` is a folder: name the spec files in it, such as `{}`",
            path.join("*.svspec").display()
        );
    }
    let file = std::fs::File::open(path).with_context(|| format!("cannot read `{shown}`"))?;
    read_stream(file, &shown)
}

fn read_stream(stream: impl std::io::Read, shown: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(MAX_BYTES + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read `{shown}`"))?;
    check_size(&bytes, shown)?;
    Ok(bytes)
}

fn check_size(bytes: &[u8], shown: &str) -> anyhow::Result<()> {
    if bytes.len() as u64 > MAX_BYTES {
        bail!("`{shown}` is larger than 1 MiB, the most that a spec may be");
    }
    Ok(())
}

/// git, in the folder of `path`.
fn git(path: &Path) -> Command {
    let mut git = Command::new("git");
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        git.arg("-C").arg(folder);
    }
    git
}

fn read_revision(revision: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    let name =
        path.file_name().with_context(|| format!("`{}` names no file", path.display()))?.to_string_lossy();
    let output = git(path)
        .args(["show", "--end-of-options"])
        .arg(format!("{revision}:./{name}"))
        .output()
        .context("cannot run `git`, which --base needs")?;
    let shown = format!("{revision}:{}", path.display());
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        bail!("git has no `{shown}`: {}", reason.trim().trim_start_matches("fatal: "));
    }
    check_size(&output.stdout, &shown)?;
    Ok(output.stdout)
}

/// Takes `.` and `folder/..` out of a path, so that one file has one name.
fn normalize(path: &Path) -> PathBuf {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(parts.last(), Some(Component::Normal(_))) => {
                parts.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::ParentDir | Component::Normal(_) => {
                parts.push(part);
            }
        }
    }
    parts.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_name() {
        assert_eq!(normalize(Path::new("specs/./a/../b.svspec")), Path::new("specs/b.svspec"));
        assert_eq!(normalize(Path::new("../../b.svspec")), Path::new("../../b.svspec"));
        assert_eq!(normalize(Path::new("/a/../b.svspec")), Path::new("/b.svspec"));
    }
}
