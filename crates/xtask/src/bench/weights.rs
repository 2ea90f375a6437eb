//! How long weights take into a matrix product, scaled and one above the other, and their gradients back.

use super::Figure;
use super::example::Example;
use anyhow::Result;

const NUM_PAIRS: &str = "31";

/// Of a model of the paper's.
pub fn figures() -> Result<Vec<Figure>> {
    let example = Example::build("scaled_weights")?;
    Ok(vec![
        Figure {
            what: "time of scaling and stacking three weights of 768 by 768, and back, against LibTorch's operations, f32",
            value: example.ratio(&["768", "768", "f32"], NUM_PAIRS)?,
        },
        Figure {
            what: "the same for products in bf16",
            value: example.ratio(&["768", "768", "bf16"], NUM_PAIRS)?,
        },
    ])
}
