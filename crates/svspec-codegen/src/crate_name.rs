//! Whether cargo and rustc take a target's name for a crate's.

use crate::GenerateError;
use crate::names::is_keyword;

/// Crates that code names without declaring them, and folders that cargo keeps in its target folder.
const TAKEN: [&str; 9] =
    ["alloc", "build", "core", "deps", "examples", "incremental", "proc_macro", "std", "test"];

/// An error that says why not.
pub fn check(name: &str) -> Result<(), GenerateError> {
    let refuse = |reason| Err(GenerateError::CrateName { name: name.to_owned(), reason });
    if is_keyword(name) {
        return refuse("it is not an identifier of Rust, or a keyword");
    }
    if TAKEN.contains(&name) || name == "svspec_runtime" {
        return refuse("cargo or rustc keeps it for itself");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn names_that_cargo_keeps_are_refused_and_others_are_not() {
        assert!(check("nano").is_ok() && check("or").is_ok());
        assert!(check("test").is_err() && check("match").is_err() && check("svspec_runtime").is_err());
    }
}
