//! File names to those that say nothing, or stand where none is expected.

use crate::repository::{self, has_extension, shown};
use anyhow::Result;
use std::path::Path;

/// Names that fit any content.
const EMPTY_NAMES: [&str; 7] = ["util", "utils", "helper", "helpers", "common", "manager", "misc"];

/// What the top folder may hold, hidden and ignored entries aside.
const TOP: [&str; 9] =
    ["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "crates", "grammar", "specs", "templates", "tests"];

/// What git ignores there.
const IGNORED: [&str; 3] = ["target", "runs", "build"];

/// Files that are badly named or misplaced.
pub fn findings() -> Result<Vec<String>> {
    let root = repository::root();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&root)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let known = TOP.contains(&name.as_str()) || IGNORED.contains(&name.as_str()) || name.starts_with('.');
        if !known {
            found.push(format!("{name}: the top folder has no place for it"));
        }
    }
    for folder in ["crates", "tests"] {
        for path in repository::files(&root.join(folder))? {
            found.extend(name(&path));
        }
    }
    found.sort();
    Ok(found)
}

fn name(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    if !has_extension(path, "rs") {
        return None;
    }
    if stem == "mod" {
        return Some(format!("{}: write `foo.rs` beside `foo/`, not `foo/mod.rs`", shown(path)));
    }
    let is_empty = EMPTY_NAMES.contains(&stem);
    is_empty.then(|| format!("{}: `{stem}` says nothing; name the file after what is in it", shown(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_nothing_are_found() {
        assert!(
            name(Path::new("crates/a/src/utils.rs"))
                .is_some_and(|found| found.contains("`utils` says nothing"))
        );
        assert!(name(Path::new("crates/a/src/op/mod.rs")).is_some());
        assert_eq!(name(Path::new("crates/a/src/roles.rs")), None);
    }
}
