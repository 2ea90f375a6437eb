//! What checkpoints, and the statistics of scale vectors, cost beside the steps.

use super::Figure;
use super::example::Example;
use super::trainer::{median, nano, train};
use anyhow::{Context, Result, bail};
use std::path::Path;

/// With checkpoints and without are run in turn, this often.
const NUM_PAIRS: usize = 3;
const NUM_TIMES: &str = "15";
/// Sequences of a batch times tokens of a sequence of nano.
const TOKENS_PER_STEP: f64 = 16.0 * 128.0;

/// Of nano's unified variant and of a model of the paper's. Files go to `scratch`.
pub fn figures(scratch: &Path) -> Result<Vec<Figure>> {
    let Beside { speed, ratio } = beside_checkpoints(scratch)?;
    let step = 1e3 * TOKENS_PER_STEP / speed;
    let small = measure(scratch, ["128", "344", "4", "256"])?;
    let large = measure(scratch, ["768", "2048", "12", "50304"])?;
    let checkpoint = |Upkeep { waited, copied, written, bytes, .. }: &Upkeep| {
        let size = bytes / 1e6;
        format!(
            "{waited:.1} ms; copied beside the next after {copied:.1} ms, on the disk after {written:.0} ms, {size:.0} MB"
        )
    };
    Ok(vec![
        Figure {
            what: "a step of unified waits for a checkpoint",
            value: format!("{}; a step takes {step:.1} ms", checkpoint(&small)),
        },
        Figure { what: "one of Llama 0.12B with unified's vectors waits", value: checkpoint(&large) },
        Figure {
            what: "unified with a checkpoint every 10 steps, tokens/s of the steps against without",
            value: format!("{ratio:.3}×"),
        },
        Figure {
            what: "statistics of unified's scale vectors, against a step; taken where it validates, a tenth of the steps apart",
            value: format!("{:.2} ms, {:.1} % of a step", small.measured, 100.0 * small.measured / step),
        },
        Figure { what: "statistics of those of Llama 0.12B", value: format!("{:.1} ms", large.measured) },
    ])
}

/// In milliseconds, and bytes.
struct Upkeep {
    waited: f64,
    copied: f64,
    written: f64,
    measured: f64,
    bytes: f64,
}

/// Of a model of this width, hidden width, number of layers and vocabulary.
fn measure(scratch: &Path, sizes: [&str; 4]) -> Result<Upkeep> {
    let example = Example::build("upkeep")?;
    let folder = scratch.join(format!("upkeep-{}", sizes.concat()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let shown = folder.to_str().context("a temporary folder's name is UTF-8")?;
    let text = example.run(&[&sizes[..], &[NUM_TIMES, shown]].concat())?;
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    let numbers: Result<Vec<f64>, _> = text.split_whitespace().map(str::parse).collect();
    let &[waited, copied, written, measured, bytes] = &numbers?[..] else {
        bail!("`{}` is not five numbers", text.trim());
    };
    Ok(Upkeep { waited, copied, written, measured, bytes })
}

/// The speed of steps, in tokens a second, and that of steps beside which checkpoints are written against it.
struct Beside {
    speed: f64,
    ratio: f64,
}

fn beside_checkpoints(scratch: &Path) -> Result<Beside> {
    let spec = &nano(scratch)?;
    let kept = scratch.join("kept.svspec");
    let name = spec.file_name().and_then(|name| name.to_str()).context("a spec's name is UTF-8")?;
    let text = format!(
        "svspec 1\n\nimport \"{name}\"\n\nvariant kept of unified {{\n    train {{ checkpoint_every = 10 }}\n}}\n"
    );
    std::fs::write(&kept, text).with_context(|| format!("cannot write {}", kept.display()))?;
    let settings = ["--steps", "100"];
    let [mut speeds, mut ratios] = [const { Vec::new() }; 2];
    for pair in 0..NUM_PAIRS {
        let out = |name: &str| scratch.join(format!("run-{name}-{pair}"));
        let with = train(&kept, "kept", &settings, &out("kept"))?;
        let without = train(spec, "unified", &settings, &out("without"))?;
        speeds.push(without.speed);
        ratios.push(with.speed / without.speed);
    }
    Ok(Beside { speed: median(speeds), ratio: median(ratios) })
}
