//! What the trainer writes to a run's folder, read back: rows of `metrics.jsonl`, and `summary.json`.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// A logged step. What trainers have not always written may be missing.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Row {
    /// The step, from 1.
    pub step: u64,
    /// The training loss in nats per token.
    pub loss: f64,
    /// The scheduled learning rate.
    pub lr: f64,
    /// The global norm of the gradient before clipping.
    pub grad_norm: f64,
    /// That of each group of the optimizer.
    #[serde(default)]
    pub grad_norms: BTreeMap<String, f64>,
    /// The speed of the steps around it.
    pub tokens_per_second: f64,
    /// The share of it in what the devices can do at best, if that was said.
    pub mfu: Option<f64>,
}

/// A validation.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Evaluation {
    /// After this step.
    pub step: u64,
    /// In nats per token.
    pub val_loss: f64,
    /// That on each set named besides.
    #[serde(default)]
    pub val_losses: BTreeMap<String, f64>,
    /// The largest eigenvalue of the loss's Hessian, if it was asked for.
    pub sharpness: Option<f64>,
}

/// One scale vector γ at one validation.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct ScaleRow {
    /// After this step.
    pub step: u64,
    /// `layers.3.attn_norm.scale`
    pub name: String,
    /// `input` or `output`
    pub role: String,
    /// `‖γ‖₂`
    pub norm: f64,
    /// The mean entry.
    pub mean: f64,
    /// The least entry.
    pub min: f64,
    /// The greatest entry.
    pub max: f64,
    /// `var(γ) / mean(γ²)`
    pub anisotropy: f64,
    /// The λ of `γ ← γ − λ γ` that is closest to what a step's weight decay does.
    pub effective_decay: Option<f64>,
    /// The mean of `γ_j² − ‖w_j‖²` over what γ folds into, if it does.
    pub balance: Option<f64>,
    /// `min γ_j²` then.
    pub least_eigenvalue: Option<f64>,
}

/// Something that was wrong with a run.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Fault {
    /// The steps that had been taken when the run went on, the one at fault included unless it went back.
    pub step: u64,
    /// Of a run that went back, the step at fault.
    pub at: Option<u64>,
    /// `non_finite_loss`, `loss_spike`, …
    #[serde(rename = "fault")]
    pub kind: String,
    /// `log`, `stop`, `skip` or `roll_back`
    pub remedy: String,
}

/// Where the time of a step went, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepSeconds {
    /// Reading windows.
    pub data: f64,
    /// From tokens to losses.
    pub forward: f64,
    /// From losses to gradients.
    pub backward: f64,
    /// Waiting for other processes.
    pub communication: f64,
    /// From gradients to parameters.
    pub optimizer: f64,
}

/// How a finished run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The model or variant.
    pub model: String,
    /// SHA-256 of the spec's text.
    pub spec_hash: String,
    /// The seed.
    pub seed: u64,
    /// `cpu`, or the GPU.
    pub device: String,
    /// Steps done.
    pub steps: u64,
    /// Tokens trained on.
    pub tokens: u64,
    /// Terminal, in nats per token.
    pub val_loss: f64,
    /// Of the validation bytes under the training bytes' frequencies, in nats.
    pub unigram_entropy: f64,
    /// Over the whole run.
    pub tokens_per_second: f64,
    /// Of the matrix products of forward and backward.
    pub flops_per_second: Option<f64>,
    /// Seconds of a step by part.
    pub step_seconds: Option<StepSeconds>,
    /// Of the process, or of the GPU; `None` where the system does not say.
    pub peak_memory_bytes: Option<u64>,
    /// All parameters.
    pub num_params: u64,
    /// Those in scale vectors.
    pub num_scale_params: u64,
}

/// The logged steps of a run.
pub fn rows(run: &Path) -> anyhow::Result<Vec<Row>> {
    lines(&run.join("metrics.jsonl"))
}

/// The validations of a run.
pub fn evaluations(run: &Path) -> anyhow::Result<Vec<Evaluation>> {
    lines(&run.join("metrics.jsonl"))
}

/// The scale vectors at each validation of a run.
pub fn scales(run: &Path) -> anyhow::Result<Vec<ScaleRow>> {
    lines(&run.join("scales.jsonl"))
}

/// What was wrong with a run.
pub fn faults(run: &Path) -> anyhow::Result<Vec<Fault>> {
    let path = run.join("health.jsonl");
    if path.is_file() { lines(&path) } else { Ok(Vec::new()) }
}

/// The lines of a file that are of one kind; a last line cut short by a full disk is left out.
fn lines<T: for<'a> Deserialize<'a>>(path: &Path) -> anyhow::Result<Vec<T>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// The summary of a finished run; `None` if it has not finished.
pub fn summary(run: &Path) -> anyhow::Result<Option<Summary>> {
    let path = run.join("summary.json");
    match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        read => {
            let text = read.with_context(|| format!("cannot read `{}`", path.display()))?;
            let summary = serde_json::from_str(&text);
            summary.map(Some).with_context(|| format!("`{}` is not a trainer's summary", path.display()))
        }
    }
}
