//! How fast a trainer's data is read, against how fast it is trained on.

use super::Figure;
use super::example::Example;
use super::trainer::{NUM_STEPS, nano, train};
use anyhow::{Context, Result};
use std::path::Path;

const NUM_ROUNDS: &str = "15";

/// Of a mixture, in the windows and batches of nano, which is trained beside it; and of a model of the paper's. Shards are written
/// to `scratch`.
pub fn figures(scratch: &Path) -> Result<Vec<Figure>> {
    let trained = train(&nano(scratch)?, "nano", &["--steps", NUM_STEPS], &scratch.join("run"))?.speed;
    let example = Example::build("data_reading")?;
    let folder = scratch.join("data");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let folder = folder.to_str().context("a temporary folder's name is UTF-8")?;
    let rate = |sizes: [&str; 2]| -> Result<f64> {
        let text = example.run(&[&[folder], &sizes[..], &[NUM_ROUNDS]].concat())?;
        text.trim().parse().with_context(|| format!("`{}` is no number", text.trim()))
    };
    let (small, large) = (rate(["16", "128"])?, rate(["8", "1024"])?);
    Ok(vec![
        Figure {
            what: "data of a mixture in 16 windows of 128, tokens/s against nano's training",
            value: format!("{:.1} million (median of {NUM_ROUNDS}), {:.0}×", small / 1e6, small / trained),
        },
        Figure {
            what: "data of a mixture in 8 windows of 1024, tokens/s",
            value: format!("{:.1} million (median of {NUM_ROUNDS})", large / 1e6),
        },
    ])
}
