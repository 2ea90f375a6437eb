//! The folder of a run in, what a report says of it out.

use crate::picture::axis::grouped;
use crate::picture::{Series, run_colour};
use crate::run_folder::{self, Evaluation, Fault, ScaleRow, StepSeconds, Summary};
use anyhow::bail;
use serde::Serialize;
use std::path::Path;

/// A run, as far as it is.
#[derive(Debug, Serialize)]
pub struct Run {
    /// Its folder's name.
    pub name: String,
    /// That of its lines.
    colour: &'static str,
    /// `Name: value` rows of the table.
    facts: Vec<(&'static str, String)>,
    /// Its scale vectors at the last validation, as text.
    scales: Vec<[String; 9]>,
    /// Its losses.
    #[serde(skip)]
    pub losses: Series,
    /// Its logged steps.
    #[serde(skip)]
    pub rows: Vec<run_folder::Row>,
    /// Its validations.
    #[serde(skip)]
    pub evaluations: Vec<Evaluation>,
    /// Its scale vectors at each validation.
    #[serde(skip)]
    pub scale_rows: Vec<ScaleRow>,
    /// The loss of byte frequencies alone, if it has finished.
    #[serde(skip)]
    pub unigram_entropy: Option<f64>,
}

impl Run {
    /// Reads what the trainer has left in `folder`; `index` is the run's place on the page.
    pub fn read(folder: &Path, index: usize) -> anyhow::Result<Self> {
        if !folder.join("metrics.jsonl").is_file() {
            bail!("`{}` is not the folder of a run: it has no `metrics.jsonl`", folder.display());
        }
        let name = folder
            .file_name()
            .map_or_else(|| folder.display().to_string(), |name| name.display().to_string());
        let (rows, evaluations) = (run_folder::rows(folder)?, run_folder::evaluations(folder)?);
        let scale_rows =
            if folder.join("scales.jsonl").is_file() { run_folder::scales(folder)? } else { Vec::new() };
        let losses = Series {
            name: name.clone(),
            train: rows.iter().map(|row| (row.step as f64, row.loss)).collect(),
            validation: evaluations.iter().map(|row| (row.step as f64, row.val_loss)).collect(),
        };
        let summary = run_folder::summary(folder)?;
        let mut facts = facts(summary.as_ref(), &losses);
        facts.push(("faults", faults(&run_folder::faults(folder)?)));
        Ok(Self {
            name,
            colour: run_colour(index),
            facts,
            scales: last_scales(&scale_rows),
            losses,
            rows,
            evaluations,
            scale_rows,
            unigram_entropy: summary.map(|summary| summary.unigram_entropy),
        })
    }
}

/// "2 (loss_spike at step 12: skip, vanished_scale at step 40: log)"
fn faults(found: &[Fault]) -> String {
    const MOST: usize = 5;
    let shown = found
        .iter()
        .take(MOST)
        .map(|fault| format!("{} at step {}: {}", fault.kind, fault.at.unwrap_or(fault.step), fault.remedy));
    let shown: Vec<String> = shown.collect();
    match found.len() {
        0 => "none".to_owned(),
        count if count > MOST => format!("{count} ({}, …)", shown.join(", ")),
        count => format!("{count} ({})", shown.join(", ")),
    }
}

fn facts(summary: Option<&Summary>, losses: &Series) -> Vec<(&'static str, String)> {
    let loss = |points: &[(f64, f64)]| points.last().map_or("-".to_owned(), |(_, loss)| format!("{loss:.4}"));
    let steps = losses.train.last().map_or(0.0, |(step, _)| *step);
    let mut facts = vec![
        ("ended", if summary.is_some() { "finished" } else { "not finished" }.to_owned()),
        ("steps", grouped(&steps.to_string())),
        ("training loss", loss(&losses.train)),
        ("validation loss", loss(&losses.validation)),
    ];
    let Some(summary) = summary else { return facts };
    facts.extend([
        ("model", summary.model.clone()),
        ("spec", summary.spec_hash.chars().take(12).collect()),
        ("seed", summary.seed.to_string()),
        ("device", summary.device.clone()),
        ("tokens", grouped(&summary.tokens.to_string())),
        ("tokens/s", grouped(&format!("{:.0}", summary.tokens_per_second))),
        (
            "GFLOP/s",
            summary.flops_per_second.map_or("-".to_owned(), |flops| grouped(&format!("{:.0}", flops / 1e9))),
        ),
        ("a step's time", summary.step_seconds.map_or("-".to_owned(), shares)),
        (
            "peak memory",
            summary
                .peak_memory_bytes
                .map_or("-".to_owned(), |bytes| format!("{:.0} MiB", bytes as f64 / 1_048_576.0)),
        ),
        ("parameters", grouped(&summary.num_params.to_string())),
        ("in scale vectors", grouped(&summary.num_scale_params.to_string())),
    ]);
    facts
}

/// "data 1 %, forward 30 %, backward 60 %, communication 0 %, optimizer 9 %"
fn shares(seconds: StepSeconds) -> String {
    let StepSeconds { data, forward, backward, communication, optimizer } = seconds;
    let total = data + forward + backward + communication + optimizer;
    let parts = [
        ("data", data),
        ("forward", forward),
        ("backward", backward),
        ("communication", communication),
        ("optimizer", optimizer),
    ];
    parts.map(|(name, part)| format!("{name} {:.0} %", 100.0 * part / total)).join(", ")
}

/// Name, role, norm, mean, least and greatest entry, anisotropy, effective decay, balance; "-" where there is none.
fn last_scales(rows: &[ScaleRow]) -> Vec<[String; 9]> {
    let last = rows.last().map(|row| row.step);
    let shown = |value: f64| format!("{value:.4}");
    rows.iter()
        .filter(|row| Some(row.step) == last)
        .map(|row| {
            let [norm, mean, min, max, anisotropy] =
                [row.norm, row.mean, row.min, row.max, row.anisotropy].map(shown);
            let decay = row.effective_decay.map_or("-".to_owned(), |decay| format!("{decay:.2e}"));
            let balance = row.balance.map_or("-".to_owned(), shown);
            [row.name.clone(), row.role.clone(), norm, mean, min, max, anisotropy, decay, balance]
        })
        .collect()
}
