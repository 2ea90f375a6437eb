//! What writing a set of generated files to a folder would do, and doing it.

use super::{Drift, FILE, Manifest};
use crate::hash::hash;
use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What stands between a folder and the files that belong in it.
#[derive(Debug)]
pub struct Plan<'a> {
    folder: PathBuf,
    files: &'a BTreeMap<String, String>,
    manifest: Manifest,
    /// Every file that differs, by path.
    pub drift: BTreeMap<String, Drift>,
}

/// Whether files that are not the generator's may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// No: name them and write nothing.
    Ask,
    /// Yes: the user has said `--force`.
    Given,
}

/// Compares `folder` with `files` (path within it, text). Writes nothing.
pub fn plan<'a>(folder: &Path, files: &'a BTreeMap<String, String>) -> anyhow::Result<Plan<'a>> {
    if folder.is_file() {
        bail!("`{}` is a file: name a folder", folder.display());
    }
    let manifest = Manifest::read(folder)?;
    let mut drift = BTreeMap::new();
    for (path, text) in files {
        if let Some(found) = compare(folder, path, text, &manifest)? {
            drift.insert(path.clone(), found);
        }
    }
    for (path, written) in &manifest.files {
        if files.contains_key(path) {
            continue;
        }
        if let Some(bytes) = read(&folder.join(path))? {
            drift.insert(
                path.clone(),
                if hash(&bytes) == *written { Drift::Stale } else { Drift::StaleEdited },
            );
        }
    }
    Ok(Plan { folder: folder.to_owned(), files, manifest, drift })
}

fn compare(folder: &Path, path: &str, text: &str, manifest: &Manifest) -> anyhow::Result<Option<Drift>> {
    let Some(bytes) = read(&folder.join(path))? else { return Ok(Some(Drift::Missing)) };
    if bytes == text.as_bytes() {
        return Ok(None);
    }
    Ok(Some(match manifest.files.get(path) {
        None => Drift::Foreign,
        Some(written) if *written == hash(&bytes) => Drift::Outdated,
        Some(_) => Drift::Edited,
    }))
}

fn read(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).with_context(|| format!("cannot read `{}`", path.display())),
    }
}

impl Plan<'_> {
    /// Whether the folder holds exactly what was generated.
    pub fn is_clean(&self) -> bool {
        self.drift.is_empty()
    }

    /// Writes what differs, removes what is stale, and says how many files were written. Either every file that needs
    /// the user's consent has it, or nothing is touched.
    pub fn apply(self, consent: Consent) -> anyhow::Result<usize> {
        let refused: Vec<String> = match consent {
            Consent::Given => Vec::new(),
            Consent::Ask => {
                let guarded = self.drift.iter().filter(|(_, drift)| drift.needs_consent());
                guarded
                    .map(|(path, drift)| format!("\n  {} ({drift})", self.folder.join(path).display()))
                    .collect()
            }
        };
        if !refused.is_empty() {
            bail!(
                "these files would be overwritten, so nothing was written:{}\n\
                 move them away, build elsewhere with --out, or overwrite them with --force",
                refused.concat()
            );
        }
        let mut num_written = 0;
        for (path, drift) in &self.drift {
            match (drift, self.files.get(path)) {
                (Drift::Missing | Drift::Outdated | Drift::Edited | Drift::Foreign, Some(text)) => {
                    write(&self.folder.join(path), text)?;
                    num_written += 1;
                }
                (Drift::Stale, _) => remove(&self.folder, path)?,
                (
                    Drift::Missing | Drift::Outdated | Drift::Edited | Drift::Foreign | Drift::StaleEdited,
                    _,
                ) => {}
            }
        }
        let files = self.files.iter().map(|(path, text)| (path.clone(), hash(text.as_bytes()))).collect();
        let manifest = Manifest { format_version: 1, files };
        if manifest != self.manifest {
            let text = serde_json::to_string_pretty(&manifest).context("the manifest is a plain table")?;
            write(&self.folder.join(FILE), &format!("{text}\n"))?;
        }
        Ok(num_written)
    }
}

/// Writes a file in one step: a full disk leaves the old one whole.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let attempt = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut temporary = tempfile::Builder::new().permissions(ordinary()).tempfile_in(folder)?;
        std::io::Write::write_all(&mut temporary, text.as_bytes())?;
        temporary.persist(path)?;
        Ok(())
    };
    attempt().with_context(|| format!("cannot write `{}`", path.display()))
}

/// The mode of an ordinary file before the umask; temporary files are private otherwise.
fn ordinary() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

/// Removes a file and the folders that this empties.
fn remove(folder: &Path, path: &str) -> anyhow::Result<()> {
    let file = folder.join(path);
    std::fs::remove_file(&file).with_context(|| format!("cannot remove `{}`", file.display()))?;
    let mut parent = file.parent();
    while let Some(emptied) = parent.filter(|emptied| *emptied != folder) {
        if std::fs::remove_dir(emptied).is_err() {
            break;
        }
        parent = emptied.parent();
    }
    Ok(())
}
