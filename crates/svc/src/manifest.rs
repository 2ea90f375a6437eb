//! Generated files on disk: a folder and the files that belong in it in, what drifted out, and the writing of it.
//!
//! `.svspec-manifest.json` holds a hash of every file as it was written. A file whose bytes still have that hash is
//! the generator's, and may be replaced or removed; any other is somebody's work, and is not touched unasked.

mod drift;
mod plan;

pub use drift::Drift;
pub use plan::{Consent, Plan, plan};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

const FILE: &str = ".svspec-manifest.json";

/// What was written, by path within the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    format_version: u32,
    /// SHA-256 of each file's bytes, in hexadecimal.
    files: BTreeMap<String, String>,
}

impl Manifest {
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            read => read.with_context(|| format!("cannot read `{}`", path.display()))?,
        };
        serde_json::from_str(&text).with_context(|| {
            format!(
                "`{}` is not a manifest of svc's: remove it, then name --force to write over what it listed",
                path.display()
            )
        })
    }
}
