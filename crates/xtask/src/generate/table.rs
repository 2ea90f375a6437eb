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
    | target | what it is | parameters | in scale vectors | operations per token, training |\n|---|---|---:|---:|---:|\n";

/// One line for each target of each of `specs`.
pub fn table(specs: &[PathBuf]) -> Result<String> {
    let mut out = HEAD.to_owned();
    for spec in specs {
        let name = shown(spec);
        let text = std::fs::read_to_string(spec).with_context(|| format!("cannot read {name}"))?;
        let file = name.trim_start_matches("specs/");
        for (target, doc) in targets(&text) {
            let line = line(&name, &target).with_context(|| format!("the cost of {target} in {name}"))?;
            writeln!(out, "| [{target}]({file}) | {doc} | {line} |")?;
        }
    }
    Ok(out)
}

/// The three counts of a target.
fn line(spec: &str, target: &str) -> Result<String> {
    let args = ["show", "cost", spec, "--variant", target, "--format", "json"];
    let cost: Value = serde_json::from_str(&command::output(command::svc(&args), &[0])?)?;
    let count = |key: &str| {
        let found = cost.get(key).and_then(Value::as_u64).map(grouped);
        found.with_context(|| format!("has no `{key}`"))
    };
    let flops = cost.get("flops").and_then(|flops| flops.get("training")).and_then(Value::as_f64);
    let flops = flops.context("has no `flops.training`")?;
    Ok(format!("{} | {} | {}", count("num_params")?, count("num_scale_params")?, operations(flops)))
}

/// The models and variants of a spec, in order, each with the first sentence of its documentation comment.
fn targets(text: &str) -> Vec<(String, String)> {
    let (mut found, mut doc) = (Vec::new(), String::new());
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if let Some(comment) = line.strip_prefix("///") {
            doc = format!("{doc} {}", comment.trim());
        } else if matches!(words.next(), Some("model" | "variant")) && line.starts_with(['m', 'v']) {
            let name = words.next().unwrap_or_default().trim_end_matches('{');
            found.push((name.to_owned(), first_sentence(&std::mem::take(&mut doc))));
        } else {
            doc.clear();
        }
    }
    found
}

fn first_sentence(doc: &str) -> String {
    let doc = doc.trim().replace('|', "\\|");
    doc.split_once(". ").map_or(doc.as_str(), |(first, _)| first).trim_end_matches('.').to_owned()
}

/// `5.3 M`, `6.41 G`.
fn operations(flops: f64) -> String {
    if flops < 1e9 { format!("{:.1} M", flops / 1e6) } else { format!("{:.2} G", flops / 1e9) }
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
    fn targets_come_with_their_first_sentence() {
        let text = "svspec 1\n\n/// Llama 0.12B. More\n/// of it.\nmodel a {\n    layer {}\n}\n\nvariant b of a with c {}\n";
        assert_eq!(targets(text), [("a".into(), "Llama 0.12B".into()), ("b".into(), String::new())]);
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!([7, 80_640, 1_028_065_024].map(grouped), ["7", "80,640", "1,028,065,024"]);
    }
}
