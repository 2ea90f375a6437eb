//! How long clipping and an optimizer's step take against PyTorch's, on the same tensors.

use super::Figure;
use super::example::Example;
use crate::command::output;
use crate::parity::Python;
use crate::repository;
use anyhow::{Context, Result};
use std::process::Command;

const NUM_STEPS: &str = "60";

/// Both are run in turn, this often: machines drift, ratios within a pair do not.
const NUM_PAIRS: usize = 5;

/// Nothing, with a word, where `cargo xtask parity` has installed no PyTorch.
pub fn figures() -> Result<Vec<Figure>> {
    let Some(python) = Python::installed() else {
        eprintln!("the optimizer is not compared with PyTorch's: `cargo xtask parity` installs that");
        return Ok(Vec::new());
    };
    let example = Example::build("optimizer_step")?;
    let ours = |algorithm: &str| example.command(&[algorithm, NUM_STEPS]);
    let theirs = |algorithm: &str| {
        let mut command = python.run(&repository::root().join("crates/xtask/src/bench/optimizer_step.py"));
        command.args([algorithm, NUM_STEPS]);
        command
    };
    let ratio = |algorithm: &str| -> Result<String> {
        let mut ratios = Vec::new();
        for _ in 0..NUM_PAIRS {
            ratios.push(milliseconds(ours(algorithm)?)? / milliseconds(theirs(algorithm))?);
        }
        ratios.sort_by(f64::total_cmp);
        let at = |index: usize| ratios.get(index).copied().unwrap_or(f64::NAN);
        Ok(format!(
            "{:.2}× (median of {NUM_PAIRS}; {:.2} to {:.2})",
            at(NUM_PAIRS / 2),
            at(0),
            at(NUM_PAIRS - 1)
        ))
    };
    Ok(vec![
        Figure {
            what: "time of clipping and AdamW, 10 M parameters, against PyTorch's fused",
            value: ratio("adamw")?,
        },
        Figure { what: "time of clipping and Muon with AdamW, against PyTorch's", value: ratio("muon")? },
    ])
}

fn milliseconds(command: Command) -> Result<f64> {
    let text = output(command, &[0])?;
    text.trim().parse().with_context(|| format!("`{}` is no number of milliseconds", text.trim()))
}
