//! `svc ablate`: a spec and some of its variants in; all of them trained, and a report of who is better, out.

use crate::ablation::queue::{Job, Workers};
use crate::ablation::report::Searched;
use crate::ablation::search::{self, Best, Next, Trial};
use crate::ablation::{Plan, Report, Run};
use crate::generate::{self, Target};
use crate::manifest::Consent;
use crate::outcome::Outcome;
use crate::read::Origin;
use crate::spec::Spec;
use crate::terminal;
use crate::training::{self, Ready, Setting};
use anyhow::{Context as _, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use svspec_ir::rewrite::Rewrite;

/// The seed of a search for learning rates: none of those whose losses are compared.
const SEARCH_SEED: u64 = 1000;

/// Train variants of one spec under equal conditions, and report
///
/// Each variant is trained with each seed. Runs of one seed start from the same initialisation and see the same data in
/// the same order. The report (Markdown, SVG, JSON) gives the terminal loss as mean and standard error, the difference
/// to the baseline paired by seed with its 95 % interval, a verdict corrected for the number of variants (Holm),
/// tokens/s and memory relative to the baseline, and the parameters added.
///
/// With --lr-scales each variant first looks for its own learning rate: one run for each factor on the spec's rates, with
/// a seed that is not compared, then factors beyond the grid for as long as the best is at its end.
///
/// The same command goes on where it was stopped: finished runs are not done again, so more seeds or variants can be
/// added later. Several of it, one for each GPU say, share the work: none does a run that another is at.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 done, 1 faults in the spec, 2 could not run, 130 stopped.\n\n\
    Examples:\n  \
    svc ablate specs/nano.svspec --variants hg,dnp,or,iwd,unified --seeds 3\n  \
    svc ablate specs/nano.svspec --variants unified --seeds 5 --lr-scales 0.5,1,2\n  \
    svc ablate specs/nano.svspec --jobs 4                # every variant of the file, four runs at a time")]
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
    /// Search each variant's learning rate first, over these factors on the spec's rates
    #[arg(long, value_delimiter = ',', value_name = "F,F,…", value_parser = training::positive)]
    lr_scales: Vec<f64>,
    /// Runs at a time; each gets its share of the CPU's cores, unless --threads says otherwise
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    jobs: u32,
    #[command(flatten)]
    setting: Setting,
    /// Leave out a rewrite: share_normalize, move_scale_to_weights or fuse_projections
    #[arg(long, value_name = "REWRITE")]
    without: Vec<Rewrite>,
    /// The folder of the report and of the runs; default: runs/ablation-BASELINE
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A variant, compiled.
#[derive(Debug)]
struct Variant {
    name: String,
    ready: Ready,
    /// Of its runs.
    folder: PathBuf,
}

/// Compiles every variant, then trains run after run, then reports.
pub fn run(args: &Ablate) -> anyhow::Result<Outcome> {
    let spec = Spec::open(&Origin::Disk, &args.file)?;
    let names = names(args, &spec)?;
    let grid = grid(&args.lr_scales)?;
    let baseline = names.first().context("an ablation has a baseline")?;
    let out = args.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("ablation-{baseline}")));
    let setting = Setting { threads: threads(args), ..args.setting.clone() };
    let mut variants = Vec::new();
    for name in names {
        variants.push(prepare(args, &setting, &spec, name, &out)?);
    }
    let workers = Workers { setting: &setting, num: args.jobs as usize };
    let searched = match grid {
        None => None,
        Some(grid) => match search(&variants, &grid, workers)? {
            Some(searched) => Some(searched),
            None => return Ok(stopped()),
        },
    };
    let lr_scale = |index: usize| {
        searched.as_ref().and_then(|searched| searched.get(index)).map_or(1.0, |of| of.best.lr_scale)
    };
    let run_of = |index: usize, variant: &Variant, seed| {
        Run::new(&variant.name, &variant.folder, seed, lr_scale(index))
    };
    // Seed by seed, so that what is stopped half-way has complete pairs.
    let jobs = (0..args.seeds).flat_map(|seed| {
        let variants = variants.iter().enumerate();
        variants.map(move |(index, variant)| Job { ready: &variant.ready, run: run_of(index, variant, seed) })
    });
    if workers.work(jobs.collect())? == Outcome::Interrupted {
        return Ok(stopped());
    }
    let of_variant =
        |(index, variant)| (0..args.seeds).map(move |seed| run_of(index, variant, seed)).collect();
    let runs: Vec<Vec<Run>> = variants.iter().enumerate().map(of_variant).collect();
    report(&Report::read(&spec.file_name(), &runs, searched, args.jobs)?, &out)?;
    Ok(Outcome::Fine)
}

fn stopped() -> Outcome {
    terminal::note("stopped; the same command goes on from here");
    Outcome::Interrupted
}

/// The factors to search over, in order and each once; `None` if no search is asked for.
fn grid(scales: &[f64]) -> anyhow::Result<Option<Vec<f64>>> {
    let mut grid = scales.to_vec();
    grid.sort_by(f64::total_cmp);
    grid.dedup();
    match grid.as_slice() {
        [] => Ok(None),
        [only] => bail!("--lr-scales {only} leaves nothing to choose from: give two factors or more"),
        _ => Ok(Some(grid)),
    }
}

/// CPU threads of each run: what is asked for, or a run's share of the cores.
fn threads(args: &Ablate) -> Option<u32> {
    let share = || {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
        (args.jobs > 1).then(|| (cores / args.jobs).max(1))
    };
    args.setting.threads.or_else(share)
}

/// Searches each variant's learning rate; `None` if it was stopped.
fn search(variants: &[Variant], grid: &[f64], workers: Workers<'_>) -> anyhow::Result<Option<Vec<Searched>>> {
    let mut trials: Vec<Vec<Trial>> = vec![Vec::new(); variants.len()];
    loop {
        let next: Vec<Next> = trials.iter().map(|trials| search::next(grid, trials)).collect();
        let settled = next.iter().map(|next| match next {
            Next::Settled(best) => Some(*best),
            Next::Try(_) => None,
        });
        if let Some(bests) = settled.collect::<Option<Vec<Best>>>() {
            let searched = |((variant, trials), best): ((&Variant, Vec<Trial>), Best)| {
                Searched::new(&variant.name, SEARCH_SEED, trials, best)
            };
            return Ok(Some(variants.iter().zip(trials).zip(bests).map(searched).collect()));
        }
        let mut runs: Vec<(usize, Run)> = Vec::new();
        for (index, (variant, next)) in variants.iter().zip(&next).enumerate() {
            if let Next::Try(scales) = next {
                let run = |lr_scale| Run::new(&variant.name, &variant.folder, SEARCH_SEED, lr_scale);
                runs.extend(scales.iter().map(|&lr_scale| (index, run(lr_scale))));
            }
        }
        let job = |(index, run): &(usize, Run)| {
            variants.get(*index).map(|variant| Job { ready: &variant.ready, run: run.clone() })
        };
        if workers.work(runs.iter().filter_map(job).collect())? == Outcome::Interrupted {
            return Ok(None);
        }
        for (index, run) in runs {
            if let Some(trials) = trials.get_mut(index) {
                trials.push(Trial { lr_scale: run.lr_scale, loss: run.loss()? });
            }
        }
    }
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
fn prepare(
    args: &Ablate,
    setting: &Setting,
    spec: &Spec,
    name: String,
    out: &Path,
) -> anyhow::Result<Variant> {
    let target = Target { variant: Some(name.clone()), without: args.without.clone() };
    let generated = generate::generate(spec, &target)?;
    let folder = out.join(&name);
    Plan::new(&generated, setting)?.claim(&folder)?;
    let mut ready = training::prepare(&generated, &generated.default_folder(), Consent::Ask, &setting.data)?;
    ready.trainer = kept(&ready.trainer, &folder)?;
    ready.turn = None;
    Ok(Variant { name, ready, folder })
}

/// A copy of the trainer in `folder`. It takes the place of one that another command may be running.
fn kept(trainer: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let (copy, path) = (folder.join(format!("trainer.{}", std::process::id())), folder.join("trainer"));
    std::fs::copy(trainer, &copy)
        .and_then(|_| std::fs::rename(&copy, &path))
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    std::path::absolute(&path).context("the path of --out")
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
