//! How long weights take into a matrix product, scaled and one above the other, and their gradients back.

use super::Figure;
use super::example::Example;
use anyhow::{Context, Result};

const NUM_PAIRS: &str = "31";

/// Of a model of the paper's.
pub fn figures() -> Result<Vec<Figure>> {
    let example = Example::build("scaled_weights")?;
    let ratio = |precision: &str| -> Result<String> {
        let text = example.run(&["768", "768", precision, NUM_PAIRS])?;
        let ratio: f64 = text.trim().parse().with_context(|| format!("`{}` is no number", text.trim()))?;
        Ok(format!("{ratio:.2}× (median of {NUM_PAIRS} pairs)"))
    };
    Ok(vec![
        Figure {
            what: "time of scaling and stacking three weights of 768 by 768, and back, against LibTorch's operations, f32",
            value: ratio("f32")?,
        },
        Figure { what: "the same for products in bf16", value: ratio("bf16")? },
    ])
}
