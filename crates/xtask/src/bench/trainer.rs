//! How fast a spec becomes a running trainer, and how fast that trains.

use super::compiler::svc;
use super::{Figure, shown};
use crate::command::output;
use crate::repository;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Long enough for a steady rate, short enough to run often.
pub(super) const NUM_STEPS: &str = "200";

/// The baseline and the variant are trained in turn, this often: machines drift, ratios within a pair do not.
const NUM_PAIRS: usize = 3;

/// How long the first step may take before something is wrong.
const PATIENCE: Duration = Duration::from_secs(900);

/// Trains nano and its unified variant in `scratch`; the first run fetches and compiles what is missing.
pub fn figures(scratch: &Path) -> Result<Vec<Figure>> {
    let spec = nano(scratch)?;
    let mut baselines = Vec::new();
    let mut variants = Vec::new();
    for pair in 0..NUM_PAIRS {
        let run = |target: &str| {
            train(&spec, target, &["--steps", NUM_STEPS], &scratch.join(format!("run-{target}-{pair}")))
        };
        baselines.push(run("nano")?);
        variants.push(run("unified")?);
    }
    let baseline = |figure: fn(&Run) -> f64| median(baselines.iter().map(figure).collect());
    let ratio = |figure: fn(&Run) -> f64| {
        let pairs = variants.iter().zip(&baselines);
        median(pairs.map(|(variant, baseline)| figure(variant) / figure(baseline)).collect())
    };
    Ok(vec![
        Figure {
            what: "an edited nano to its tenth training step, warm",
            value: shown(edit_to_first_steps(scratch, &spec)?),
        },
        Figure { what: "nano, tokens/s", value: format!("{:.0}", baseline(|run| run.speed)) },
        Figure { what: "nano, peak memory", value: format!("{:.0} MiB", baseline(|run| run.memory)) },
        Figure { what: "unified, tokens/s against nano", value: format!("{:.3}×", ratio(|run| run.speed)) },
        Figure {
            what: "unified, peak memory against nano",
            value: format!("{:.3}×", ratio(|run| run.memory)),
        },
    ])
}

/// A copy of nano's spec in `scratch`.
pub(super) fn nano(scratch: &Path) -> Result<PathBuf> {
    let spec = scratch.join("nano.svspec");
    std::fs::copy(repository::root().join("specs/nano.svspec"), &spec)?;
    Ok(spec)
}

/// What is asked of a run: tokens per second; MiB at most, of the process and of tensors.
pub(super) struct Run {
    pub(super) speed: f64,
    pub(super) memory: f64,
    pub(super) tensors: f64,
}

/// The middle one; of none, not a number.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn number(summary: &Value, key: &str) -> Result<f64> {
    summary.get(key).and_then(Value::as_f64).with_context(|| format!("the run's summary has no `{key}`"))
}

/// Trains a target of `spec` with these settings in the new folder `out`, and reads the run's summary.
pub(super) fn train(spec: &Path, target: &str, settings: &[&str], out: &Path) -> Result<Run> {
    let mut command = svc(&["train"], &[spec]);
    command.args(["--variant", target, "--device", "cpu"]).args(settings).arg("--out").arg(out);
    command.current_dir(out.parent().context("a run's folder lies in another")?);
    output(command, &[0])?;
    let summary = json(&read(&out.join("summary.json"))?)?;
    Ok(Run {
        speed: number(&summary, "tokens_per_second")?,
        memory: number(&summary, "peak_memory_bytes")? / f64::from(1 << 20),
        tensors: number(&summary, "peak_tensor_bytes")? / f64::from(1 << 20),
    })
}

/// The rows of the run's metrics.
pub(super) fn rows(run: &Path) -> Result<Vec<Value>> {
    read(&run.join("metrics.jsonl"))?.lines().map(json).collect()
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).with_context(|| format!("`{text}` is no JSON"))
}

/// Widens the MLP a little, so that the generated code changes, and waits for the first losses: a trainer reads its
/// losses back every ten steps.
fn edit_to_first_steps(scratch: &Path, spec: &Path) -> Result<Duration> {
    let text = std::fs::read_to_string(spec)?;
    let edited = text.replace("hidden = 344", "hidden = 352");
    if edited == text {
        bail!("specs/nano.svspec no longer says `hidden = 344`; choose another edit");
    }
    std::fs::write(spec, edited)?;
    let out: PathBuf = scratch.join("run-edited");
    let mut command = svc(&["train"], &[spec]);
    command.args(["--steps", NUM_STEPS, "--device", "cpu", "--out"]).arg(&out);
    command.current_dir(scratch).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn()?;
    let metrics = out.join("metrics.jsonl");
    loop {
        if std::fs::read_to_string(&metrics).is_ok_and(|rows| rows.contains("\"loss\":")) {
            let time = start.elapsed();
            child.wait()?;
            return Ok(time);
        }
        if child.try_wait()?.is_some() || start.elapsed() > PATIENCE {
            child.kill()?;
            bail!("training the edited spec left no metrics");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
