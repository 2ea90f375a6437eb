//! A generated crate's copy of the runtime in, the one copy that is compiled for all crates out: the one that `svc train` compiles.

use crate::repository;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Below the checkout. `svc` calls a runtime by the SHA-256 of its paths and texts, so that what either has compiled serves both.
const FOLDER: &str = ".cache/runtime";

/// The folder of the copy that equals the one in `folder`, made where there is none.
pub fn shared(folder: &Path) -> Result<PathBuf> {
    let mut files = BTreeMap::new();
    collect(folder, "", &mut files)?;
    let whole: Vec<&[u8]> =
        files.iter().flat_map(|(path, text)| [path.as_bytes(), b"\0", text, b"\0"]).collect();
    let digits: Vec<String> =
        Sha256::digest(whole.concat()).iter().map(|byte| format!("{byte:02x}")).collect();
    let shared = repository::root().join(FOLDER).join(digits.concat());
    if !shared.is_dir() {
        let parent = shared.parent().context("the folder lies in another")?;
        std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        // Beside its place at first, so that a folder of that name is always whole.
        let part = tempfile::tempdir_in(parent)?;
        for (path, text) in &files {
            let path = part.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(parent))?;
            std::fs::write(path, text)?;
        }
        match std::fs::rename(part.path(), &shared) {
            // Another process was faster, with the same files.
            Err(_) if shared.is_dir() => (),
            result => result.with_context(|| format!("cannot make {}", shared.display()))?,
        }
    }
    Ok(shared)
}

/// The texts below `folder` by path; `prefix` leads there.
fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).context("a runtime's names are UTF-8")?;
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else {
            let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(name, text);
        }
    }
    Ok(())
}
