//! How long the product by experts' matrices takes in one call, against expert by expert.

use super::Figure;
use super::example::Example;
use anyhow::Result;

const NUM_PAIRS: &str = "15";

/// Of `llama_moe_120m`, and of many small experts.
pub fn figures() -> Result<Vec<Figure>> {
    let example = Example::build("experts_product")?;
    Ok(vec![
        Figure {
            what: "time of 16 experts' product, two of them for each of 2048 tokens, 384 by 384, against a loop",
            value: example.ratio(&["16", "2", "384", "384"], NUM_PAIRS)?,
        },
        Figure {
            what: "time of 128 experts' product, eight for each, 512 by 192, against a loop",
            value: example.ratio(&["128", "8", "512", "192"], NUM_PAIRS)?,
        },
    ])
}
