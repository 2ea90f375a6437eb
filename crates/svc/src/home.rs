//! Where `svc` keeps what is dear to make: LibTorch, compiled dependencies, the corpus.

use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};

/// The folder that holds them: a checkout's root, or a folder of the user's cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// `SVSPEC_HOME` where set (a checkout's cargo configuration does), else `svspec` in the user's cache folder.
    pub fn find() -> anyhow::Result<Self> {
        let variable =
            |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(home) = variable("SVSPEC_HOME") {
            let home = std::path::absolute(&home)
                .with_context(|| format!("SVSPEC_HOME is `{}`, which is not a path", home.display()))?;
            return Ok(Self(home));
        }
        if let Some(cache) = variable("XDG_CACHE_HOME") {
            return Ok(Self(cache.join("svspec")));
        }
        match variable("HOME") {
            Some(home) => Ok(Self(home.join(".cache/svspec"))),
            None => bail!(
                "neither SVSPEC_HOME, XDG_CACHE_HOME nor HOME is set: set SVSPEC_HOME to a folder with 3 GB of free space"
            ),
        }
    }

    /// The folder itself; it may not exist yet.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Where `svc` puts the LibTorch that it fetches.
    pub fn libtorch(&self) -> PathBuf {
        self.0.join(".libtorch/torch")
    }

    /// The build folder that all generated crates share, so that LibTorch's bindings are compiled once.
    pub fn target(&self) -> PathBuf {
        self.0.join("target")
    }

    /// The runtime's sources, a folder for each version of them.
    pub fn runtimes(&self) -> PathBuf {
        self.0.join(".cache/runtime")
    }

    /// The default corpus.
    pub fn corpus(&self) -> PathBuf {
        self.0.join(".cache/corpus")
    }
}
