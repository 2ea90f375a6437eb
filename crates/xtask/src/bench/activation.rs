//! How long an activation takes that has a kernel of the runtime's own.

use super::Figure;
use super::example::Example;
use anyhow::Result;

const NUM_PAIRS: &str = "31";

/// Of a model of the paper's.
pub fn figures() -> Result<Vec<Figure>> {
    let example = Example::build("gelu_tanh")?;
    Ok(vec![
        Figure {
            what: "time of the tanh approximation of gelu, and back, against LibTorch's, f32",
            value: example.ratio(&["2048", "3072", "f32"], NUM_PAIRS)?,
        },
        Figure { what: "the same in bf16", value: example.ratio(&["2048", "3072", "bf16"], NUM_PAIRS)? },
    ])
}
