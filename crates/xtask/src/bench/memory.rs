//! What the settings that save memory cost in time: pairs of runs that differ in one setting.

use super::Figure;
use super::trainer::{Run, median, nano, train};
use anyhow::Result;
use std::path::Path;

const NUM_STEPS: &str = "20";

const NUM_PAIRS: usize = 3;

const SPEC: &str = "svspec 1

import \"nano.svspec\"

variant whole of nano {
    vocab = 32_768
    train { loss_chunk = off }
}

variant chunked of whole {
    train { loss_chunk = 1024 }
}

variant recomputed of nano {
    train { recompute = layers }
}
";

/// Trains nano with 32768 token ids, its logits whole and by chunks, and nano as it is and with all layers recomputed.
pub fn figures(scratch: &Path) -> Result<Vec<Figure>> {
    let nano = nano(scratch)?;
    let spec = scratch.join("memory.svspec");
    std::fs::write(&spec, SPEC)?;
    let mut figures = Vec::new();
    let chunked = ratios(scratch, (&spec, "whole"), (&spec, "chunked"))?;
    let recomputed = ratios(scratch, (&nano, "nano"), (&spec, "recomputed"))?;
    let pairs = [
        (
            chunked,
            "32768 ids, loss of 1024 tokens at a time, tokens/s against whole",
            "the same, memory of tensors",
        ),
        (recomputed, "nano, all layers recomputed, tokens/s against kept", "the same, memory of tensors"),
    ];
    for ((speed, memory), of_speed, of_memory) in pairs {
        figures.push(Figure { what: of_speed, value: format!("{speed:.3}×") });
        figures.push(Figure { what: of_memory, value: format!("{memory:.3}×") });
    }
    Ok(figures)
}

/// The median ratios of speed and of memory, of the second target against the first; trained in turn.
fn ratios(scratch: &Path, first: (&Path, &str), second: (&Path, &str)) -> Result<(f64, f64)> {
    let mut pairs: Vec<(Run, Run)> = Vec::new();
    for pair in 0..NUM_PAIRS {
        let run = |(spec, target): (&Path, &str)| {
            train(spec, target, &["--steps", NUM_STEPS], &scratch.join(format!("run-{target}-{pair}")))
        };
        pairs.push((run(first)?, run(second)?));
    }
    let ratio = |figure: fn(&Run) -> f64| {
        median(pairs.iter().map(|(first, second)| figure(second) / figure(first)).collect())
    };
    Ok((ratio(|run| run.speed), ratio(|run| run.tensors)))
}
