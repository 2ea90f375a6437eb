//! Chooses the default corpus anew, after its packages' versions have moved: packages in, the pinned list out.

use super::{Entry, List, Split, Streams};
use crate::cargo::Package;
use crate::hash::hash;
use anyhow::{Context as _, bail};
use std::path::Path;

/// Packages whose sources are mostly written by people, in the corpus's order.
const PACKAGES: [&str; 14] = [
    "anyhow",
    "cc",
    "flate2",
    "hashbrown",
    "indicatif",
    "memchr",
    "ndarray",
    "num-traits",
    "rand",
    "safetensors",
    "serde",
    "serde_core",
    "serde_json",
    "tch",
];

/// Larger files are tables and generated code.
const MAX_FILE_BYTES: usize = 160_000;

/// One file in this many is for validation.
const VALIDATION_EVERY: u8 = 10;

/// The list of what `packages` hold now.
pub fn pin(packages: &[Package]) -> anyhow::Result<List> {
    let mut entries = Vec::new();
    let mut streams = Streams::default();
    for name in PACKAGES {
        let Some(package) = packages.iter().find(|package| package.name == name) else {
            bail!("the crate does not depend on {name}, which the corpus is taken from");
        };
        let mut paths = Vec::new();
        find_sources(&package.folder, Path::new("src"), &mut paths)
            .with_context(|| format!("cannot read the sources of {name}"))?;
        paths.sort();
        for path in paths {
            let bytes =
                std::fs::read(package.folder.join(&path)).with_context(|| format!("cannot read {path}"))?;
            if bytes.len() > MAX_FILE_BYTES || path.contains("generated") {
                continue;
            }
            let split = split_of(name, &path);
            streams.push(split, &bytes);
            let (package, version) = (package.name.clone(), package.version.clone());
            entries.push(Entry { split, hash: hash(&bytes), package, version, path });
        }
    }
    Ok(List { train_hash: hash(&streams.train), validation_hash: hash(&streams.validation), entries })
}

/// By a hash of the file's name, so that a file stays on its side when its package's version moves.
fn split_of(package: &str, path: &str) -> Split {
    let digest = hash(format!("{package}/{path}").as_bytes());
    let byte = digest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(0);
    if byte % VALIDATION_EVERY == 0 { Split::Validation } else { Split::Train }
}

fn find_sources(package: &Path, folder: &Path, paths: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(package.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            find_sources(package, &path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.extend(path.to_str().map(str::to_owned));
        }
    }
    Ok(())
}
