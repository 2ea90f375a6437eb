//! Finished runs in; the table of an ablation as data, as Markdown and as a picture out.

mod markdown;

use super::Run;
use super::statistics::{Estimate, estimate};
use crate::picture::{self, AblationRow};
use crate::run_folder::{self, Summary};
use anyhow::Context as _;
use serde::Serialize;

/// Everything that an ablation says.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    format_version: u32,
    /// The spec's file name.
    spec: String,
    /// Steps of every run.
    steps: u64,
    /// Tokens of every run.
    tokens: u64,
    /// Where they ran.
    device: String,
    /// The loss that token frequencies alone would reach, nats.
    unigram_entropy: f64,
    /// The seeds of every variant.
    seeds: Vec<u64>,
    /// The baseline first.
    rows: Vec<Row>,
}

/// One variant.
#[derive(Clone, Debug, Serialize)]
struct Row {
    variant: String,
    /// Terminal validation losses in nats per token, by seed.
    losses: Vec<f64>,
    /// Of those losses.
    loss: Estimate,
    /// Of the loss minus the baseline's of the same seed; `None` for the baseline.
    difference: Option<Estimate>,
    num_params: u64,
    num_scale_params: u64,
    /// Parameters more than the baseline's.
    params_added: i64,
    tokens_per_second: Estimate,
    /// Of the means.
    relative_speed: f64,
    peak_memory_bytes: Option<u64>,
    relative_memory: Option<f64>,
}

impl Report {
    /// Reads the summaries of `variants`: each one's runs by seed, the baseline's first.
    pub fn read(spec: &str, variants: &[Vec<Run>]) -> anyhow::Result<Self> {
        let read = |run: &Run| {
            let summary = run_folder::summary(&run.folder)?;
            summary.with_context(|| format!("`{}` has not finished", run.folder.display()))
        };
        let mut summaries: Vec<Vec<Summary>> = Vec::new();
        for runs in variants {
            summaries.push(runs.iter().map(read).collect::<anyhow::Result<_>>()?);
        }
        let baseline = summaries.first().context("an ablation has a baseline")?;
        let first = baseline.first().context("an ablation has a seed")?;
        let mut rows = Vec::new();
        for (runs, of) in variants.iter().zip(&summaries) {
            rows.push(row(runs, of, baseline)?);
        }
        if let Some(of_baseline) = rows.first_mut() {
            of_baseline.difference = None;
        }
        Ok(Self {
            format_version: 1,
            spec: spec.to_owned(),
            steps: first.steps,
            tokens: first.tokens,
            device: first.device.clone(),
            unigram_entropy: first.unigram_entropy,
            seeds: baseline.iter().map(|summary| summary.seed).collect(),
            rows,
        })
    }

    /// The report as data.
    pub fn json(&self) -> anyhow::Result<String> {
        Ok(format!("{}\n", serde_json::to_string_pretty(self).context("a report is plain data")?))
    }

    /// The report to read.
    pub fn markdown(&self) -> String {
        markdown::markdown(self)
    }

    /// The report as a picture.
    pub fn svg(&self) -> String {
        let rows: Vec<AblationRow> = self.rows.iter().map(drawn).collect();
        let note =
            format!("{}, {} steps on {}; bars are one standard error", self.seeds(), self.steps, self.device);
        picture::ablation(&format!("Ablation of {}", self.spec), &note, &rows)
    }

    fn seeds(&self) -> String {
        let num = self.seeds.len();
        format!("{num} seed{}", if num == 1 { "" } else { "s" })
    }
}

fn row(runs: &[Run], of: &[Summary], baseline: &[Summary]) -> anyhow::Result<Row> {
    let no_runs = "a variant has runs";
    let first = of.first().context(no_runs)?;
    let base = baseline.first().context(no_runs)?;
    let losses: Vec<f64> = of.iter().map(|summary| summary.val_loss).collect();
    let differences: Vec<f64> =
        of.iter().zip(baseline).map(|(own, base)| own.val_loss - base.val_loss).collect();
    let speeds = |of: &[Summary]| of.iter().map(|summary| summary.tokens_per_second).collect::<Vec<_>>();
    let memory = |of: &[Summary]| of.iter().filter_map(|summary| summary.peak_memory_bytes).max();
    let speed = estimate(&speeds(of)).context(no_runs)?;
    let base_speed = estimate(&speeds(baseline)).context(no_runs)?;
    Ok(Row {
        variant: runs.first().context(no_runs)?.variant.clone(),
        loss: estimate(&losses).context(no_runs)?,
        losses,
        difference: estimate(&differences),
        num_params: first.num_params,
        num_scale_params: first.num_scale_params,
        params_added: first.num_params.cast_signed() - base.num_params.cast_signed(),
        tokens_per_second: speed,
        relative_speed: speed.mean / base_speed.mean,
        peak_memory_bytes: memory(of),
        relative_memory: memory(of).zip(memory(baseline)).map(|(own, base)| own as f64 / base as f64),
    })
}

fn drawn(row: &Row) -> AblationRow {
    AblationRow {
        name: row.variant.clone(),
        loss_mean: row.loss.mean,
        loss_standard_error: row.loss.standard_error,
        relative_speed: row.relative_speed,
        relative_memory: row.relative_memory.unwrap_or(f64::NAN),
    }
}

#[cfg(test)]
mod tests;
