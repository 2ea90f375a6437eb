//! The project's specs to those without a committed snapshot, and snapshots to those without a spec.

use crate::repository::{self, has_extension, shown};
use anyhow::Result;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// `svc snapshot` gives `nano.svspec` the folder `nano.snapshot`.
const SNAPSHOT: &str = "snapshot";

/// Specs and snapshots that lack their other half.
pub fn findings() -> Result<Vec<String>> {
    Ok(unpaired(&repository::files(&repository::root().join("specs"))?))
}

fn unpaired(files: &[PathBuf]) -> Vec<String> {
    let specs: BTreeSet<&Path> =
        files.iter().filter(|path| has_extension(path, "svspec")).map(PathBuf::as_path).collect();
    let folders = files.iter().filter_map(|path| path.parent());
    let snapshots: BTreeSet<&Path> = folders.filter(|folder| has_extension(folder, SNAPSHOT)).collect();
    let lacks = |path: &&Path, other: &BTreeSet<&Path>, extension: &str| {
        !other.contains(path.with_extension(extension).as_path())
    };
    let bare = specs.iter().filter(|spec| lacks(spec, &snapshots, SNAPSHOT));
    let orphans = snapshots.iter().filter(|snapshot| lacks(snapshot, &specs, "svspec"));
    bare.map(|spec| format!("{}: no snapshot; run `cargo xtask generate`", shown(spec)))
        .chain(orphans.map(|snapshot| format!("{}: its spec is gone; remove it", shown(snapshot))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_are_wanted() {
        let files = ["specs/a.svspec", "specs/a.snapshot/a.md", "specs/b.svspec", "specs/c.snapshot/c.md"];
        assert_eq!(
            unpaired(&files.map(PathBuf::from)),
            [
                "specs/b.svspec: no snapshot; run `cargo xtask generate`",
                "specs/c.snapshot: its spec is gone; remove it"
            ]
        );
    }
}
