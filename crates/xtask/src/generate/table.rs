//! The project's specs to the table in specs/README.md.

use crate::command;
use crate::repository::shown;
use anyhow::{Context, Result};
use serde_json::Value;
use std::fmt::Write;
use std::path::PathBuf;

const HEAD: &str = "# Specs\n\n\
    Every file is checked, built and held against its committed snapshot by the tests. This table is generated:\n\
    `cargo xtask generate`.\n\n\
    | spec | what it is | parameters | in scale vectors | GFLOP per token, training |\n|---|---|---:|---:|---:|\n";

/// One line for the default target of each of `specs`.
pub fn table(specs: &[PathBuf]) -> Result<String> {
    let mut out = HEAD.to_owned();
    for spec in specs {
        let name = shown(spec);
        let text = std::fs::read_to_string(spec).with_context(|| format!("cannot read {name}"))?;
        let json = command::output(command::svc(&["show", "cost", &name, "--format", "json"]), &[0])?;
        let cost: Value =
            serde_json::from_str(&json).with_context(|| format!("the cost of {name} is no JSON"))?;
        let count = |key: &str| {
            let found = number(&cost, key).with_context(|| format!("the cost of {name} has no `{key}`"));
            found.map(|value| grouped(value as u64))
        };
        let flops = number(&cost, "training_flops_per_token")
            .context("the cost has no `training_flops_per_token`")?;
        let file = spec.file_name().unwrap_or_default().to_string_lossy();
        writeln!(
            out,
            "| [{file}]({file}) | {} | {} | {} | {:.3} |",
            first_sentence(&text),
            count("num_params")?,
            count("num_scale_params")?,
            flops / 1e9
        )?;
    }
    Ok(out)
}

/// The number called `key`, wherever in the document it first stands.
fn number(value: &Value, key: &str) -> Option<f64> {
    match value {
        Value::Object(map) => {
            map.get(key).and_then(Value::as_f64).or_else(|| map.values().find_map(|inner| number(inner, key)))
        }
        Value::Array(items) => items.iter().find_map(|inner| number(inner, key)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// The first documentation comment, up to its first full stop.
fn first_sentence(text: &str) -> String {
    let lines =
        text.lines().skip_while(|line| !line.starts_with("///")).take_while(|line| line.starts_with("///"));
    let doc = lines.map(|line| line.trim_start_matches('/').trim()).collect::<Vec<_>>().join(" ");
    doc.split_once(". ").map_or(doc.as_str(), |(first, _)| first).trim_end_matches('.').to_owned()
}

/// `1028065024` as `1,028,065,024`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_of_a_spec() {
        let text = "svspec 1\n\n/// Llama 0.12B, the baseline. More\n/// of it.\nmodel a {}\n";
        assert_eq!(first_sentence(text), "Llama 0.12B, the baseline");
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!([7, 80_640, 1_028_065_024].map(grouped), ["7", "80,640", "1,028,065,024"]);
    }
}
