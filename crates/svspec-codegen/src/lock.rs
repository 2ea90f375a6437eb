//! The lock file of a generated crate: the pinned tree below the runtime, and the crate itself put in its place.
//!
//! The tree lies in `templates/Cargo.lock` as cargo resolved it for the runtime alone: the workspace's own lock file
//! holds the same versions, but its dependencies follow from the features of all members together.

use crate::GenerateError;

const TREE: &str = include_str!("../../../templates/Cargo.lock");
const SEPARATOR: &str = "[[package]]\n";

/// The text of `Cargo.lock` for the package `name`.
pub fn lock(name: &str) -> Result<String, GenerateError> {
    let mut parts = TREE.split(SEPARATOR);
    let head = parts.next().unwrap_or("");
    let mut packages: Vec<&str> = parts.map(str::trim_end).collect();
    if packages.iter().any(|package| package_name(package) == name) {
        let reason = "it depends on a crate of that name";
        return Err(GenerateError::CrateName { name: name.to_owned(), reason });
    }
    let own = format!(
        "name = \"{name}\"\nversion = \"0.1.0\"\ndependencies = [\n \"svspec-runtime\",\n \"tch\",\n]"
    );
    let place = packages.partition_point(|package| package_name(package) < name);
    packages.insert(place, &own);
    let packages: Vec<String> = packages.iter().map(|package| format!("{SEPARATOR}{package}\n")).collect();
    Ok(format!("{head}{}", packages.join("\n")))
}

/// The locked version of tch, to which LibTorch's version is tied.
pub fn tch_version() -> Result<&'static str, GenerateError> {
    TREE.split(SEPARATOR)
        .find(|package| package_name(package) == "tch")
        .and_then(|package| quoted(package, "version"))
        .ok_or(GenerateError::NotLocked { package: "tch" })
}

fn package_name(package: &str) -> &str {
    quoted(package, "name").unwrap_or("")
}

/// The value of `key = "value"`.
fn quoted<'a>(package: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = package.lines().filter_map(|line| line.split_once(" = "));
    lines.find(|(found, _)| *found == key).map(|(_, value)| value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::{TREE, lock, package_name, quoted};
    use std::collections::BTreeSet;

    #[test]
    fn the_crate_stands_in_the_order_of_names() {
        let text = lock("nano").expect("no dependency is called nano");
        let names: Vec<&str> = text.split("[[package]]\n").skip(1).map(package_name).collect();
        assert!(names.is_sorted() && names.contains(&"nano"), "{names:?}");
        let without = text.split("[[package]]\n").filter(|package| package_name(package) != "nano");
        assert_eq!(without.collect::<Vec<_>>().join("[[package]]\n"), TREE);
    }

    #[test]
    fn a_crate_cannot_have_the_name_of_a_dependency() {
        let error = lock("tch").expect_err("tch is a dependency");
        assert!(error.to_string().starts_with("`tch` cannot be the name of a crate"), "{error}");
    }

    #[test]
    fn every_pinned_version_is_the_workspaces() {
        let pinned = |lock: &'static str| -> BTreeSet<(&str, &str)> {
            let packages = lock.split("[[package]]\n").skip(1);
            packages
                .map(|package| (package_name(package), quoted(package, "version").unwrap_or("")))
                .collect()
        };
        let workspace = pinned(include_str!("../../../Cargo.lock"));
        let missing: Vec<_> = pinned(TREE).difference(&workspace).copied().collect();
        assert!(missing.is_empty(), "not in the workspace's lock file: {missing:?}");
    }
}
