//! A run folder in; its rows and its bytes out, for comparison.

use anyhow::Context as _;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rows of `metrics.jsonl`, without what differs from one machine or moment to the next.
pub fn losses(run: &Path) -> anyhow::Result<Vec<Value>> {
    let text = fs::read_to_string(run.join("metrics.jsonl"))?;
    text.lines()
        .map(|line| {
            let mut row: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
            let fields = row.as_object_mut().context("a row is an object")?;
            for clocked in
                ["seconds", "tokens_per_second", "flops_per_second", "peak_memory_bytes", "step_seconds"]
            {
                fields.remove(clocked);
            }
            Ok(row)
        })
        .collect()
}

/// A file of JSON.
pub fn json(path: &Path) -> anyhow::Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// Every file below `folder`, by path, with its bytes.
pub fn files(folder: &Path) -> anyhow::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            all.append(&mut files(&path)?);
        } else {
            let bytes = fs::read(&path)?;
            all.insert(path, bytes);
        }
    }
    Ok(all)
}
