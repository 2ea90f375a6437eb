//! Finished runs in; the table of an ablation as data, as Markdown and as a picture out.

mod markdown;

use super::Run;
use super::run::Progress;
use super::search::{Best, Trial};
use super::statistics::{Estimate, estimate, holm, p_value};
use crate::picture::{self, AblationDifference, AblationRow, Verdict};
use crate::run_folder::{self, Summary};
use crate::terminal;
use anyhow::{Context as _, bail};
use serde::Serialize;

/// A difference is told from noise if chance alone would bring as large a one this seldom.
const LEVEL: f64 = 0.05;

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
    /// Runs at a time in the last sitting.
    jobs: u32,
    /// The loss that token frequencies alone would reach, nats.
    unigram_entropy: f64,
    /// The seeds of every variant.
    seeds: Vec<u64>,
    /// How each variant's learning rate was found; `None`: it is the spec's.
    search: Option<Vec<Searched>>,
    /// The baseline first.
    rows: Vec<Row>,
}

/// The search for a variant's learning rate.
#[derive(Clone, Debug, Serialize)]
pub struct Searched {
    variant: String,
    seed: u64,
    /// By factor.
    trials: Vec<Trial>,
    /// The factor of the runs that are compared.
    #[serde(flatten)]
    pub best: Best,
}

/// One variant.
#[derive(Clone, Debug, Serialize)]
struct Row {
    variant: String,
    /// What the spec's learning rates were multiplied by.
    lr_scale: f64,
    /// Terminal validation losses in nats per token, by seed; `None` where the run diverged.
    losses: Vec<Option<f64>>,
    /// Of those losses; `None` if any diverged.
    loss: Option<Estimate>,
    /// To the baseline; `None` for the baseline, and where a run of either diverged.
    difference: Option<Difference>,
    num_params: Option<u64>,
    num_scale_params: Option<u64>,
    /// Parameters more than the baseline's.
    params_added: Option<i64>,
    tokens_per_second: Option<Estimate>,
    /// Of the means.
    relative_speed: Option<f64>,
    peak_memory_bytes: Option<u64>,
    relative_memory: Option<f64>,
}

/// The loss minus the baseline's of the same seed.
#[derive(Clone, Copy, Debug, Serialize)]
struct Difference {
    #[serde(flatten)]
    of: Estimate,
    /// Of a two-sided paired t-test; `None` of a single seed.
    p_value: Option<f64>,
    /// Corrected for the number of variants.
    p_holm: Option<f64>,
}

impl Difference {
    /// What it allows to say.
    fn verdict(&self) -> Verdict {
        match self.p_holm {
            None => Verdict::Untested,
            Some(p_holm) if p_holm >= LEVEL => Verdict::Noise,
            Some(_) if self.of.mean < 0.0 => Verdict::Lower,
            Some(_) => Verdict::Higher,
        }
    }
}

impl Searched {
    /// What was tried for `variant` and what came of it.
    pub fn new(variant: &str, seed: u64, mut trials: Vec<Trial>, best: Best) -> Self {
        trials.sort_by(|a, b| a.lr_scale.total_cmp(&b.lr_scale));
        Self { variant: variant.to_owned(), seed, trials, best }
    }
}

impl Report {
    /// Reads the summaries of `variants`: each one's runs by seed, the baseline's first.
    pub fn read(
        spec: &str,
        variants: &[Vec<Run>],
        search: Option<Vec<Searched>>,
        jobs: u32,
    ) -> anyhow::Result<Self> {
        let mut summaries: Vec<Vec<Option<Summary>>> = Vec::new();
        for runs in variants {
            summaries.push(runs.iter().map(ended).collect::<anyhow::Result<_>>()?);
        }
        let baseline = summaries.first().context("an ablation has a baseline")?;
        let seeds = variants.first().map_or_else(Vec::new, |runs| runs.iter().map(|run| run.seed).collect());
        let first = summaries.iter().flatten().flatten().next();
        let first =
            first.context("every run diverged: lower the learning rate, or search it with --lr-scales")?;
        let mut rows = Vec::new();
        for (runs, of) in variants.iter().zip(&summaries) {
            rows.push(row(runs, of, baseline)?);
        }
        if let Some(of_baseline) = rows.first_mut() {
            of_baseline.difference = None;
        }
        correct(&mut rows);
        Ok(Self {
            format_version: 2,
            spec: spec.to_owned(),
            steps: first.steps,
            tokens: first.tokens,
            device: first.device.clone(),
            jobs,
            unigram_entropy: first.unigram_entropy,
            seeds,
            search,
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
        let note = format!("{}, {} steps on {}", self.seeds(), self.steps, self.device);
        picture::ablation(&format!("Ablation of {}", self.spec), &note, &rows)
    }

    fn seeds(&self) -> String {
        terminal::counted(self.seeds.len() as u64, "seed")
    }
}

/// How a run ended; `None` if it diverged.
fn ended(run: &Run) -> anyhow::Result<Option<Summary>> {
    let summary = run_folder::summary(&run.folder)?;
    if summary.is_none() && run.progress()? != Progress::Diverged {
        bail!("`{}` has not finished", run.folder.display());
    }
    Ok(summary)
}

fn row(runs: &[Run], of: &[Option<Summary>], baseline: &[Option<Summary>]) -> anyhow::Result<Row> {
    let run = runs.first().context("a variant has runs")?;
    let losses: Vec<Option<f64>> = of.iter().map(|summary| Some(summary.as_ref()?.val_loss)).collect();
    let all: Option<Vec<f64>> = losses.iter().copied().collect();
    let pairs = of.iter().zip(baseline);
    let differences: Option<Vec<f64>> =
        pairs.map(|(own, base)| Some(own.as_ref()?.val_loss - base.as_ref()?.val_loss)).collect();
    let finished = |of: &[Option<Summary>]| of.iter().flatten().cloned().collect::<Vec<Summary>>();
    let (own, base) = (finished(of), finished(baseline));
    let speed =
        |of: &[Summary]| estimate(&of.iter().map(|summary| summary.tokens_per_second).collect::<Vec<_>>());
    let memory = |of: &[Summary]| of.iter().filter_map(|summary| summary.peak_memory_bytes).max();
    let num_params = |of: &[Summary]| of.first().map(|summary| summary.num_params);
    let added = |(own, base): (u64, u64)| own.cast_signed() - base.cast_signed();
    Ok(Row {
        variant: run.variant.clone(),
        lr_scale: run.lr_scale,
        loss: all.as_deref().and_then(estimate),
        losses,
        difference: differences.as_deref().and_then(|differences| {
            let p_value = p_value(differences);
            estimate(differences).map(|of| Difference { of, p_value, p_holm: None })
        }),
        num_params: num_params(&own),
        num_scale_params: own.first().map(|summary| summary.num_scale_params),
        params_added: num_params(&own).zip(num_params(&base)).map(added),
        tokens_per_second: speed(&own),
        relative_speed: speed(&own).zip(speed(&base)).map(|(own, base)| own.mean / base.mean),
        peak_memory_bytes: memory(&own),
        relative_memory: memory(&own).zip(memory(&base)).map(|(own, base)| own as f64 / base as f64),
    })
}

/// Corrects the p-values for how many there are.
fn correct(rows: &mut [Row]) {
    let tested: Vec<&mut Difference> = rows
        .iter_mut()
        .filter_map(|row| row.difference.as_mut())
        .filter(|difference| difference.p_value.is_some())
        .collect();
    let p_values: Vec<f64> = tested.iter().filter_map(|difference| difference.p_value).collect();
    for (difference, p_holm) in tested.into_iter().zip(holm(&p_values)) {
        difference.p_holm = Some(p_holm);
    }
}

fn drawn(row: &Row) -> AblationRow {
    AblationRow {
        name: row.variant.clone(),
        loss_mean: row.loss.map_or(f64::NAN, |loss| loss.mean),
        loss_standard_error: row.loss.and_then(|loss| loss.standard_error),
        difference: row.difference.map(|difference| AblationDifference {
            mean: difference.of.mean,
            half_interval: difference.of.half_interval,
            verdict: difference.verdict(),
        }),
        relative_speed: row.relative_speed.unwrap_or(f64::NAN),
        relative_memory: row.relative_memory.unwrap_or(f64::NAN),
    }
}

#[cfg(test)]
mod tests;
