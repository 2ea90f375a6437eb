//! `cargo metadata` to the crate edges that should not be there.

use crate::command;
use anyhow::{Context, Result};
use serde_json::Value;

/// Who may use whom, tests included. Everything else is a finding.
const EDGES: [(&str, &[&str]); 9] = [
    ("svspec-diagnostics", &[]),
    ("svspec-syntax", &["svspec-diagnostics"]),
    ("svspec-ir", &["svspec-diagnostics", "svspec-syntax"]),
    ("svspec-codegen", &["svspec-diagnostics", "svspec-ir", "svspec-syntax"]),
    ("svspec-runtime", &[]),
    ("svc", &["svspec-codegen", "svspec-diagnostics", "svspec-ir", "svspec-syntax"]),
    ("xtask", &[]),
    ("svspec-generated-tests", &["svspec-codegen", "svspec-diagnostics", "svspec-ir", "svspec-syntax"]),
    ("svspec-parity-tests", &["svspec-codegen", "svspec-diagnostics", "svspec-generated-tests", "svspec-ir"]),
];

/// Crates that may link LibTorch.
const TORCH: &str = "svspec-runtime";

/// Edges that are not in the table, and crates that it does not name.
pub fn findings() -> Result<Vec<String>> {
    let text = command::output(command::cargo(&["metadata", "--no-deps", "--format-version", "1"]), &[0])?;
    let metadata: Value = serde_json::from_str(&text).context("`cargo metadata` wrote no JSON")?;
    let packages =
        metadata.get("packages").and_then(Value::as_array).context("`cargo metadata` lists no packages")?;
    Ok(packages.iter().flat_map(package).collect())
}

fn package(package: &Value) -> Vec<String> {
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = text(package, "name");
    let Some((_, allowed)) = EDGES.iter().find(|(known, _)| *known == name) else {
        return vec![format!(
            "{name}: a crate that the map of crates does not name; add it to crates/README.md and here"
        )];
    };
    let dependencies = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
    dependencies
        .map(|dependency| text(dependency, "name"))
        .filter(|to| {
            let is_ours = EDGES.iter().any(|(known, _)| known == to);
            let is_torch = matches!(to.as_str(), "tch" | "torch-sys") && name != TORCH;
            is_torch || (is_ours && !allowed.contains(&to.as_str()))
        })
        .map(|to| format!("{name} → {to}: an edge that crates/README.md does not allow"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_runtime_that_knows_the_compiler_is_found() {
        let wrong =
            json!({"name": "svspec-runtime", "dependencies": [{"name": "svspec-ir"}, {"name": "tch"}]});
        assert_eq!(
            package(&wrong),
            ["svspec-runtime → svspec-ir: an edge that crates/README.md does not allow"]
        );
    }

    #[test]
    fn a_compiler_that_links_libtorch_is_found() {
        let wrong =
            json!({"name": "svspec-ir", "dependencies": [{"name": "svspec-syntax"}, {"name": "tch"}]});
        assert_eq!(package(&wrong), ["svspec-ir → tch: an edge that crates/README.md does not allow"]);
    }
}
