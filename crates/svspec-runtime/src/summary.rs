//! A finished run in, `summary.json` and a few closing lines out.

use crate::checkpoint::State;
use crate::clock::Seconds;
use crate::device;
use crate::scale_stats;
use crate::spec::Spec;
use crate::train::{Ending, Plan};
use crate::validation::Validation;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::LN_2;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Its name in a run folder.
pub const FILE: &str = "summary.json";

/// A run in a few numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Of this file.
    pub format_version: u32,
    /// The model's name.
    pub model: String,
    /// The spec's hash.
    pub spec_hash: String,
    /// The run's seed.
    pub seed: u64,
    /// What every group's learning rate was multiplied by.
    pub lr_scale: f64,
    /// `cpu` or `cuda`.
    pub device: &'static str,
    /// `f32` or `bf16`.
    pub precision: &'static str,
    /// Optimizer steps.
    pub steps: u64,
    /// Tokens seen.
    pub tokens: u64,
    /// The loss of the last step, in nats; none if the run was complete before it was taken up.
    pub train_loss: Option<f64>,
    /// The loss on the validation windows, in nats.
    pub val_loss: f64,
    /// That on each set that `--val` names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub val_losses: BTreeMap<String, f64>,
    /// The loss that token frequencies alone would reach there.
    pub unigram_entropy: f64,
    /// The validation loss in bits, over the bytes of text that a token stands for in the mean; none where that is not known.
    pub bits_per_byte: Option<f64>,
    /// Whether tokens are bytes.
    #[serde(skip)]
    pub is_bytes: bool,
    /// Over the last sitting's steps; validation and checkpoints left out.
    pub tokens_per_second: f64,
    /// That times the floating-point operations of forward and backward of a token, as the spec's graph counts them.
    pub flops_per_second: f64,
    /// Where a step's time went, in the mean of those of the last sitting that were measured.
    pub step_seconds: Option<Seconds>,
    /// See [`device::peak_memory`].
    pub peak_memory_bytes: Option<u64>,
    /// See [`device::peak_tensor_memory`].
    pub peak_tensor_bytes: Option<u64>,
    /// Scalars in all parameters.
    pub num_params: usize,
    /// Scalars in those of scale vectors.
    pub num_scale_params: usize,
    /// Spent training.
    pub seconds: f64,
}

/// The summary could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{path}`: {source}")]
pub struct SummaryError {
    path: PathBuf,
    source: io::Error,
}

/// The summary of a run that ended so.
pub fn summarise(spec: &Spec, plan: &Plan, state: &State, ending: Ending) -> Summary {
    let (train_loss, validation, tokens_per_second, step_seconds) = match ending {
        Ending::Finished { train_loss, validation, tokens_per_second, step_seconds } => {
            (train_loss, validation, tokens_per_second, step_seconds)
        }
        Ending::Interrupted { .. } => {
            (None, Validation { loss: f64::NAN, ..Validation::default() }, 0.0, None)
        }
    };
    let Validation { loss: val_loss, losses: val_losses } = validation;
    let of_scales: BTreeSet<String> = spec.scales.iter().flat_map(scale_stats::parameter_names).collect();
    let scale_params = state.params.iter().filter(|param| of_scales.contains(&param.name));
    Summary {
        format_version: 1,
        model: spec.name.to_owned(),
        spec_hash: spec.hash.to_owned(),
        seed: plan.seed,
        lr_scale: plan.lr_scale,
        device: device::name(plan.device),
        precision: plan.training.precision.name(),
        steps: state.step,
        tokens: state.step * plan.tokens_per_step(spec),
        train_loss,
        val_loss,
        val_losses,
        unigram_entropy: plan.corpus.unigram_entropy(spec.vocab),
        bits_per_byte: plan.corpus.bytes_per_token().map(|bytes| val_loss / LN_2 / bytes),
        is_bytes: plan.corpus.is_bytes(),
        tokens_per_second,
        flops_per_second: tokens_per_second * spec.flops_per_token,
        step_seconds,
        peak_memory_bytes: device::peak_memory(plan.device),
        peak_tensor_bytes: device::peak_tensor_memory(plan.device),
        num_params: state.params.num_elements(),
        num_scale_params: scale_params.map(|param| param.tensor.numel()).sum(),
        seconds: state.seconds,
    }
}

/// Writes it to the run folder.
pub fn write(run: &Path, summary: &Summary) -> Result<(), SummaryError> {
    let path = run.join(FILE);
    let written = serde_json::to_string_pretty(summary)
        .map_err(io::Error::from)
        .and_then(|json| fs::write(&path, json + "\n"));
    written.map_err(|source| SummaryError { path, source })
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = if self.is_bytes { "byte" } else { "token" };
        write!(f, "validation loss {:.4} nats a {token}", self.val_loss)?;
        if let Some(bits) = self.bits_per_byte.filter(|_| !self.is_bytes) {
            write!(f, ", {bits:.4} bits a byte of text")?;
        }
        writeln!(f, "; {token} frequencies alone: {:.4}", self.unigram_entropy)?;
        write!(f, "{} tokens in {:.0} s, {:.0} tokens/s", self.tokens, self.seconds, self.tokens_per_second)?;
        if let Some(bytes) = self.peak_memory_bytes {
            write!(f, ", {:.0} MB at most", bytes as f64 / 1e6)?;
        }
        match self.step_seconds {
            Some(seconds) => {
                write!(f, "\na step's time: {seconds}; {:.1} GFLOP/s", self.flops_per_second / 1e9)
            }
            None => Ok(()),
        }
    }
}
