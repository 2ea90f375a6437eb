//! How long a branch takes into the residual stream and the norm behind it.

use super::Figure;
use super::example::Example;
use anyhow::{Context, Result};

const NUM_PAIRS: &str = "31";

/// Of a model of the paper's.
pub fn figures() -> Result<Vec<Figure>> {
    let example = Example::build("add_rms_norm")?;
    let ratio = |precision: &str| -> Result<String> {
        let text = example.run(&["2048", "768", precision, NUM_PAIRS])?;
        let ratio: f64 = text.trim().parse().with_context(|| format!("`{}` is no number", text.trim()))?;
        Ok(format!("{ratio:.2}× (median of {NUM_PAIRS} pairs)"))
    };
    Ok(vec![
        Figure {
            what: "time of a sum of the residual stream and the norm behind it in one pass, and back, against a sum and a norm, f32",
            value: ratio("f32")?,
        },
        Figure { what: "the same where products are in bf16", value: ratio("bf16")? },
    ])
}
