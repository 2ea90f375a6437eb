//! How fast several processes train together, against one with the same batch.

use super::Figure;
use super::trainer::{median, nano, rows, train};
use anyhow::Result;
use serde_json::Value;
use std::path::Path;

/// All are run in turn, this often.
const NUM_TURNS: usize = 3;
const STEPS: &str = "100";

/// Of nano, each process with one thread, so that there is work for the cores of a small machine in processes alone.
pub fn figures(scratch: &Path) -> Result<Vec<Figure>> {
    let spec = nano(scratch)?;
    let settings: [&[&str]; 4] = [
        &["--steps", STEPS, "--threads", "1"],
        &["--steps", STEPS],
        &["--steps", STEPS, "--threads", "1", "--nproc", "2"],
        &["--steps", STEPS, "--threads", "1", "--nproc", "4"],
    ];
    let mut turns: Vec<Vec<f64>> = Vec::new();
    let mut bytes = Vec::new();
    for turn in 0..NUM_TURNS {
        let mut speeds = Vec::new();
        for (index, settings) in settings.iter().enumerate() {
            let out = scratch.join(format!("run-{turn}-{index}"));
            speeds.push(train(&spec, "nano", settings, &out)?.speed);
            if turn == 0 {
                bytes.push(bytes_sent(&out)?);
            }
        }
        turns.push(speeds);
    }
    let ratio = |of: usize, against: usize| {
        let ratios = turns.iter().filter_map(|speeds| Some(speeds.get(of)? / speeds.get(against)?));
        median(ratios.collect())
    };
    let value = |of: usize| {
        let sent = bytes.get(of).copied().flatten().unwrap_or_default() as f64 / 1e6;
        format!(
            "{:.2}× one process of one thread, {:.2}× one of all cores; {sent:.2} MB a step from each",
            ratio(of, 0),
            ratio(of, 1)
        )
    };
    Ok(vec![
        Figure { what: "nano in 2 processes of one thread, tokens/s", value: value(2) },
        Figure { what: "nano in 4 processes of one thread, tokens/s", value: value(3) },
    ])
}

/// What the last step sent; none where there is one process.
fn bytes_sent(run: &Path) -> Result<Option<u64>> {
    let sent = |row: &Value| row.get("bytes_sent").and_then(Value::as_u64);
    Ok(rows(run)?.iter().filter_map(sent).next_back())
}
