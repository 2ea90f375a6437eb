//! Rust sources to what a reader would trip over: overlong files, no opening sentence, unfinished code.

use crate::repository::{self, has_extension, shown};
use anyhow::{Context, Result};
use std::path::Path;

/// At 400 one looks for a seam; longer files than this need one, or a reason in their opening comment that starts with [`REASON`].
const MAX_LINES: usize = 500;
const REASON: &str = "Long because";

/// Findings in every source of the crates and the suites.
pub fn findings() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for folder in ["crates", "tests"] {
        for path in repository::files(&repository::root().join(folder))? {
            if has_extension(&path, "rs") {
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", shown(&path)))?;
                found.extend(source(&path, &text));
            }
        }
    }
    Ok(found)
}

fn source(path: &Path, text: &str) -> Vec<String> {
    let place = shown(path);
    let mut found = Vec::new();
    let opening: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
    if opening.is_empty() {
        found.push(format!("{place}:1: start with `//!` and a sentence on what goes in and what comes out"));
    }
    let num_lines = text.lines().count();
    if num_lines > MAX_LINES && !opening.iter().any(|line| line.contains(REASON)) {
        found.push(format!("{place}: {num_lines} lines; look for a seam, or say `//! {REASON} …`"));
    }
    for (index, line) in text.lines().enumerate() {
        // Assembled, so that this file does not find itself.
        let unfinished =
            [["TO", "DO"], ["FIX", "ME"], ["todo", "!("], ["unimplemented", "!("], ["#![al", "low("]];
        let bare = ["#[al", "low("].concat();
        for word in unfinished.map(|parts| parts.concat()).into_iter().chain([bare]) {
            if line.contains(&word) {
                found.push(format!(
                    "{place}:{}: `{word}`: finish it, or use `expect` with a reason",
                    index + 1
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlong_file_needs_a_reason() {
        let path = Path::new("long.rs");
        let body = "\n".repeat(MAX_LINES);
        assert_eq!(source(path, &format!("//! A table.\n{body}")).len(), 1);
        assert_eq!(source(path, &format!("//! {REASON} it is one table.\n{body}")), Vec::<String>::new());
    }

    #[test]
    fn unfinished_code_and_a_missing_opening_are_found() {
        let text = ["fn f() { to", "do!() }\n"].concat();
        assert_eq!(source(Path::new("a.rs"), &text).len(), 2);
    }
}
