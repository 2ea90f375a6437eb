//! LibTorch: the user's own, or the pinned one that `svc` fetches; its folder out.

mod fetch;
mod unpack;

pub use fetch::python;

use crate::home::Home;
use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};

/// The only version that the generated crates' bindings fit.
pub const VERSION: &str = "2.11.0";

/// The library without which nothing runs.
const LIBRARY: &str = "lib/libtorch_cpu.so";

/// What was found on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The user's own, named by `LIBTORCH`.
    Own(PathBuf),
    /// The one that `svc` fetched.
    Fetched(PathBuf),
    /// None yet; it would be put here.
    Missing(PathBuf),
}

/// Looks for LibTorch; a `LIBTORCH` that names none, or another version, is an error.
pub fn find(home: &Home) -> anyhow::Result<State> {
    let ours = home.libtorch();
    let named = std::env::var_os("LIBTORCH").filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(named) = named.filter(|named| *named != ours) {
        check_own(&named)?;
        // The bindings' build script runs in another folder.
        let named = std::path::absolute(&named).context("the path of LIBTORCH")?;
        return Ok(State::Own(named));
    }
    match version(&ours) {
        Some(found) if found == VERSION && ours.join(LIBRARY).is_file() => Ok(State::Fetched(ours)),
        Some(_) | None => Ok(State::Missing(ours)),
    }
}

/// LibTorch's folder, after fetching it if there is none.
pub fn ensure(home: &Home) -> anyhow::Result<PathBuf> {
    match find(home)? {
        State::Own(folder) | State::Fetched(folder) => Ok(folder),
        State::Missing(folder) => {
            fetch::fetch(&folder)?;
            Ok(folder)
        }
    }
}

fn check_own(folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    if !folder.join(LIBRARY).is_file() {
        bail!(
            "LIBTORCH is `{shown}`, which holds no {LIBRARY}: name the folder of a LibTorch {VERSION}, \
             or unset LIBTORCH and svc fetches one"
        );
    }
    match version(folder) {
        Some(found) if found != VERSION => bail!(
            "LIBTORCH is `{shown}`, which is version {found}: the generated crates need {VERSION} exactly; \
             unset LIBTORCH and svc fetches it"
        ),
        Some(_) | None => Ok(()),
    }
}

/// The version without its build's suffix (`2.11.0+cu130` is 2.11.0), from the archive's or the Python package's file.
pub fn version(folder: &Path) -> Option<String> {
    let of_archive = || std::fs::read_to_string(folder.join("build-version")).ok();
    let of_package = || {
        let text = std::fs::read_to_string(folder.join("version.py")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("__version__ = "))?.to_owned();
        Some(line.trim_matches(|quote| quote == '\'' || quote == '"').to_owned())
    };
    let text = of_archive().or_else(of_package)?;
    text.trim().split('+').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_either_file() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(version(folder.path()), None);
        std::fs::write(folder.path().join("version.py"), "__version__ = '2.13.0+cu130'\ndebug = False\n")
            .unwrap();
        assert_eq!(version(folder.path()).as_deref(), Some("2.13.0"));
        std::fs::write(folder.path().join("build-version"), "2.11.0+cpu\n").unwrap();
        assert_eq!(version(folder.path()).as_deref(), Some("2.11.0"));
    }
}
