//! How long a branch takes into the residual stream and the norm behind it.

use super::Figure;
use super::example::Example;
use anyhow::Result;

const NUM_PAIRS: &str = "31";

/// Of a model of the paper's.
pub fn figures() -> Result<Vec<Figure>> {
    let example = Example::build("add_rms_norm")?;
    Ok(vec![
        Figure {
            what: "time of a sum of the residual stream and the norm behind it in one pass, and back, against a sum and a norm, f32",
            value: example.ratio(&["2048", "768", "f32"], NUM_PAIRS)?,
        },
        Figure {
            what: "the same where products are in bf16",
            value: example.ratio(&["2048", "768", "bf16"], NUM_PAIRS)?,
        },
    ])
}
