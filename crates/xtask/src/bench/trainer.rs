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
const NUM_STEPS: &str = "200";

/// How long the first step may take before something is wrong.
const PATIENCE: Duration = Duration::from_secs(900);

/// Trains nano and its unified variant in `scratch`; the first run fetches and compiles what is missing.
pub fn figures(scratch: &Path) -> Result<Vec<Figure>> {
    let spec = scratch.join("nano.svspec");
    std::fs::copy(repository::root().join("specs/nano.svspec"), &spec)?;
    let baseline = train(scratch, &spec, "nano")?;
    let unified = train(scratch, &spec, "unified")?;
    let first_step = edit_to_first_step(scratch, &spec)?;
    let mebibytes =
        |summary: &Value| number(summary, "peak_memory_bytes").map(|bytes| bytes / f64::from(1 << 20));
    let speed = |summary: &Value| number(summary, "tokens_per_second");
    let relative = |of: f64, to: f64| format!("{:.3}×", of / to);
    Ok(vec![
        Figure { what: "an edited nano to its first training step, warm", value: shown(first_step) },
        Figure { what: "nano, tokens/s", value: format!("{:.0}", speed(&baseline)?) },
        Figure { what: "nano, peak memory", value: format!("{:.0} MiB", mebibytes(&baseline)?) },
        Figure {
            what: "unified, tokens/s against nano",
            value: relative(speed(&unified)?, speed(&baseline)?),
        },
        Figure {
            what: "unified, peak memory against nano",
            value: relative(mebibytes(&unified)?, mebibytes(&baseline)?),
        },
    ])
}

fn number(summary: &Value, key: &str) -> Result<f64> {
    summary.get(key).and_then(Value::as_f64).with_context(|| format!("the run's summary has no `{key}`"))
}

/// Trains a target of `spec` and returns the run's summary.
fn train(scratch: &Path, spec: &Path, target: &str) -> Result<Value> {
    let out = scratch.join(format!("run-{target}"));
    let mut command = svc(&["train"], &[spec]);
    command.args(["--variant", target, "--steps", NUM_STEPS, "--device", "cpu", "--out"]).arg(&out);
    command.current_dir(scratch);
    output(command, &[0])?;
    let path = out.join("summary.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}

/// Widens the MLP a little, so that the generated code changes, and waits for the first line of metrics.
fn edit_to_first_step(scratch: &Path, spec: &Path) -> Result<Duration> {
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
        if std::fs::read(&metrics).is_ok_and(|bytes| bytes.contains(&b'\n')) {
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
