//! How long the product by experts' matrices takes in one call, against expert by expert.

use super::Figure;
use super::example::Example;
use anyhow::{Context, Result};

const NUM_PAIRS: &str = "15";

/// Of `llama_moe_120m`, and of many small experts.
pub fn figures() -> Result<Vec<Figure>> {
    let example = Example::build("experts_product")?;
    let ratio = |sizes: [&str; 4]| -> Result<String> {
        let text = example.run(&[&sizes[..], &[NUM_PAIRS]].concat())?;
        let ratio: f64 = text.trim().parse().with_context(|| format!("`{}` is no number", text.trim()))?;
        Ok(format!("{ratio:.2}× (median of {NUM_PAIRS} pairs)"))
    };
    Ok(vec![
        Figure {
            what: "time of 16 experts' product, two of them for each of 2048 tokens, 384 by 384, against a loop",
            value: ratio(["16", "2", "384", "384"])?,
        },
        Figure {
            what: "time of 128 experts' product, eight for each, 512 by 192, against a loop",
            value: ratio(["128", "8", "512", "192"])?,
        },
    ])
}
