//! `svc ablate`: a spec and some of its variants in; all of them trained, and a report of who is better, out.

use crate::ablation::plan::Progress;
use crate::ablation::{Plan, Report, Run};
use crate::generate::{self, Target};
use crate::manifest::Consent;
use crate::outcome::Outcome;
use crate::read::Origin;
use crate::spec::Spec;
use crate::terminal;
use crate::training::{self, Ready, Setting, Start};
use anyhow::{Context as _, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use svspec_ir::rewrite::Rewrite;

/// Train variants of one spec under equal conditions, and report
///
/// Each variant is trained with each seed, one run after the other. Runs of one seed start from the same
/// initialisation and see the same data in the same order. The report (Markdown, SVG, JSON) gives the terminal loss as
/// mean and standard error, the difference to the baseline paired by seed, tokens/s and memory relative to the
/// baseline, and the parameters added.
///
/// The same command goes on where it was stopped: finished runs are not done again, so more seeds or variants can be
/// added later.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 done, 1 faults in the spec, 2 could not run, 130 stopped.\n\n\
    Examples:\n  \
    svc ablate specs/nano.svspec --variants hg,dnp,or,iwd,unified --seeds 3\n  \
    svc ablate specs/nano.svspec --variants unified --seeds 5 --steps 300\n  \
    svc ablate specs/nano.svspec                       # every variant of the file")]
pub struct Ablate {
    /// The spec file; its first model is the baseline
    file: String,
    /// The variants; default: all of the file
    #[arg(long, value_delimiter = ',', value_name = "A,B,…")]
    variants: Vec<String>,
    /// Another baseline
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    /// Runs of each variant, with the seeds 0, 1, …
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    #[command(flatten)]
    setting: Setting,
    /// Leave out a rewrite: share_normalize, move_scale_to_weights or fuse_projections
    #[arg(long, value_name = "REWRITE")]
    without: Vec<Rewrite>,
    /// The folder of the report and of the runs; default: runs/ablation-BASELINE
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Compiles every variant, then trains run after run, then reports.
pub fn run(args: &Ablate) -> anyhow::Result<Outcome> {
    let spec = Spec::open(&Origin::Disk, &args.file)?;
    let names = names(args, &spec)?;
    let baseline = names.first().context("an ablation has a baseline")?;
    let out = args.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("ablation-{baseline}")));
    let mut variants = Vec::new();
    for name in &names {
        variants.push(prepare(args, &spec, name, &out)?);
    }
    // Seed by seed, so that what is stopped half-way has complete pairs.
    let num_runs = variants.len() as u64 * args.seeds;
    let by_seed = (0..args.seeds as usize)
        .flat_map(|seed| variants.iter().map(move |(ready, runs)| (ready, runs.get(seed))));
    for (number, (ready, run)) in (1_u64..).zip(by_seed) {
        let run = run.context("a variant has a run for each seed")?;
        terminal::note(&format!("run {number} of {num_runs}: {}, seed {}", run.variant, run.seed));
        if train(args, ready, run)? == Outcome::Interrupted {
            terminal::note("stopped; the same command goes on from here");
            return Ok(Outcome::Interrupted);
        }
    }
    let runs: Vec<Vec<Run>> = variants.into_iter().map(|(_, runs)| runs).collect();
    report(&Report::read(&spec.file_name(), &runs)?, &out)?;
    Ok(Outcome::Fine)
}

/// The baseline and the variants, each once.
fn names(args: &Ablate, spec: &Spec) -> anyhow::Result<Vec<String>> {
    let mut names = vec![spec.target(args.baseline.as_deref())?];
    let asked = if args.variants.is_empty() { spec.targets()? } else { args.variants.clone() };
    for name in asked {
        let name = spec.target(Some(&name))?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() < 2 {
        bail!("`{}` has nothing to compare `{}` with: name other variants", args.file, names.concat());
    }
    Ok(names)
}

/// Compiles a variant's trainer, and keeps a copy of it: another command may compile a target of the same name.
fn prepare(args: &Ablate, spec: &Spec, name: &str, out: &Path) -> anyhow::Result<(Ready, Vec<Run>)> {
    let target = Target { variant: Some(name.to_owned()), without: args.without.clone() };
    let generated = generate::generate(spec, &target)?;
    let runs = Plan::new(&generated, &args.setting)?.runs(out, name, args.seeds)?;
    let folder = generated.default_folder();
    let mut ready = training::prepare(&generated, &folder, Consent::Ask, &args.setting.data)?;
    let trainer = out.join(name).join("trainer");
    std::fs::copy(&ready.trainer, &trainer)
        .with_context(|| format!("cannot write `{}`", trainer.display()))?;
    ready.trainer = std::path::absolute(&trainer).context("the path of --out")?;
    ready.turn = None;
    Ok((ready, runs))
}

fn train(args: &Ablate, ready: &Ready, run: &Run) -> anyhow::Result<Outcome> {
    match run.progress()? {
        Progress::Finished => Ok(Outcome::Fine),
        Progress::Stopped => training::train(ready.clone(), &run.folder, Start::Resumed, &args.setting, None),
        Progress::New => {
            training::train(ready.clone(), &run.folder, Start::Fresh, &args.setting, Some(run.seed))
        }
    }
}

fn report(report: &Report, out: &Path) -> anyhow::Result<()> {
    let markdown = report.markdown();
    let files =
        [("report.md", markdown.clone()), ("report.json", report.json()?), ("report.svg", report.svg())];
    for (name, text) in &files {
        let path = out.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    let shown = out.display();
    terminal::print(&format!(
        "\n{markdown}\n{shown}/report.md, report.svg and report.json; the runs are beside them\n"
    ))
}
