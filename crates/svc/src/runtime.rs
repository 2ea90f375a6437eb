//! The runtime's source, which every generated crate carries, in one folder for all of them: so it is compiled once.

use crate::generate::Generated;
use crate::hash::hash;
use crate::home::Home;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use svspec_codegen::files::RUNTIME_FOLDER;

/// The folder in `home` with the runtime that `generated` carries, written if it is not there yet.
pub fn ensure(home: &Home, generated: &Generated) -> anyhow::Result<PathBuf> {
    let files: Vec<(&str, &str)> = generated
        .files
        .iter()
        .filter_map(|(path, text)| Some((path.strip_prefix(RUNTIME_FOLDER)?, text.as_str())))
        .collect();
    let whole: Vec<&str> = files.iter().flat_map(|&(path, text)| [path, "\0", text, "\0"]).collect();
    let folder = home.runtimes().join(hash(whole.concat().as_bytes()));
    if !folder.is_dir() {
        write(&files, &folder).with_context(|| format!("cannot write `{}`", folder.display()))?;
    }
    Ok(folder)
}

/// Writes beside `folder` first, so that a folder of that name is always whole.
fn write(files: &[(&str, &str)], folder: &Path) -> anyhow::Result<()> {
    let parent = folder.parent().context("the folder lies in another")?;
    std::fs::create_dir_all(parent)?;
    let part = tempfile::tempdir_in(parent)?;
    for (path, text) in files {
        let path = part.path().join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text)?;
    }
    match std::fs::rename(part.path(), folder) {
        // Another process was faster, with the same files.
        Err(_) if folder.is_dir() => Ok(()),
        result => Ok(result?),
    }
}
