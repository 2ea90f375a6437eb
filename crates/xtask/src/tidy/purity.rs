//! Sources of the compiler crates to what would make them impure: the same spec must give the same bytes anywhere.

use crate::repository::{self, has_extension, shown};
use anyhow::{Context, Result};

/// Crates between source text and generated files.
const PURE: [&str; 4] = ["svspec-diagnostics", "svspec-syntax", "svspec-ir", "svspec-codegen"];

/// Disk, processes, clock, environment, threads, and maps that iterate in hash order.
const IMPURE: [&str; 9] = [
    "std::fs",
    "std::process",
    "std::net",
    "std::env::",
    "std::time",
    "std::thread",
    "HashMap",
    "HashSet",
    "RandomState",
];

/// Uses of the impure outside of tests. A build script may read files: it runs before there is a spec.
pub fn findings() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for name in PURE {
        for path in repository::files(&repository::root().join("crates").join(name).join("src"))? {
            if has_extension(&path, "rs") && path.file_stem().is_some_and(|stem| stem != "tests") {
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", shown(&path)))?;
                found.extend(source(&text).into_iter().map(|finding| format!("{}:{finding}", shown(&path))));
            }
        }
    }
    Ok(found)
}

fn source(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    lines
        .flat_map(|(index, line)| {
            let used = IMPURE.iter().filter(move |name| line.contains(*name));
            used.map(move |name| format!("{}: `{name}` in a pure crate; effects belong in svc", index + 1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_are_found_in_code_and_not_in_tests_or_comments() {
        let text = "// HashMap\nuse std::fs;\n#[cfg(test)]\nmod tests { use std::env::args; }\n";
        assert_eq!(source(text), ["2: `std::fs` in a pure crate; effects belong in svc"]);
    }
}
