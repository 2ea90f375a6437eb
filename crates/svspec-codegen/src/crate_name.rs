//! Whether cargo and rustc take a target's name for a crate's.

use crate::GenerateError;
use crate::names::is_keyword;
use svspec_ir::resolve::reserved;

/// An error that says why not. A checked model has a name that can be; one that was put together otherwise may not.
pub fn check(name: &str) -> Result<(), GenerateError> {
    let reason = reserved(name).or(is_keyword(name).then_some("it is not an identifier of Rust"));
    match reason {
        Some(reason) => Err(GenerateError::CrateName { name: name.to_owned(), reason }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::names::is_keyword;
    use svspec_ir::resolve::reserved;

    #[test]
    fn names_that_cargo_keeps_are_refused_and_others_are_not() {
        assert!(check("nano").is_ok() && check("or").is_ok());
        assert!(check("test").is_err() && check("match").is_err() && check("svspec_runtime").is_err());
    }

    /// Every word of the language's reference that is no identifier of Rust is one that the compiler knows.
    #[test]
    fn keywords_are_found_when_a_spec_is_checked() {
        let reference = include_str!("../../../grammar/README.md");
        let words = reference.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let is_name = |word: &&str| word.starts_with(|first: char| first.is_ascii_alphabetic());
        for word in words.filter(is_name).chain(["static", "gen", "async", "yield", "become"]) {
            assert!(!is_keyword(word) || reserved(word).is_some(), "{word}");
        }
    }
}
