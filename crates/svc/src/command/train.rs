//! `svc train`: a spec in, a trained model and the story of its training out.

use crate::generate::{self, Generated, Target};
use crate::manifest::Consent;
use crate::outcome::Outcome;
use crate::picture;
use crate::read::Origin;
use crate::run_folder::{self, Recorded};
use crate::spec::Spec;
use crate::terminal;
use crate::trainer::Ended;
use crate::training::{self, Own, Setting, Start};
use anyhow::{Context as _, bail};
use clap::Args;
use std::path::{Path, PathBuf};

/// Train a spec: generate its crate, compile it, run it
///
/// The first time, this fetches LibTorch (547 MB, checked by hash) and compiles its bindings; both are kept. The run's
/// folder, runs/TARGET-001 and so on, gets the checkpoint, the metrics, the loss curve, statistics of the scale
/// vectors by role, a sample of generated text, and the spec and generated source that it came from.
///
/// Ctrl-C stops the run with a checkpoint; --resume goes on from it, to the same bits as if it had not been stopped.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 trained, 1 faults in the spec, 2 could not run, 130 stopped with a checkpoint.\n\n\
    Examples:\n  \
    svc train specs/nano.svspec\n  \
    svc train specs/nano.svspec --variant unified --seed 1\n  \
    svc train my_model.svspec --data my_texts/ --steps 2000\n  \
    svc train my_model.svspec --data web@0.8 --data code@0.2  # folders of svc prepare\n  \
    svc train my_llama.svspec --init-from Llama-3.2-1B/       # by the names in its tensors block\n  \
    svc train my_model.svspec --val wiki=wiki.txt --val code=src/  # a loss for each, beside that of the data\n  \
    svc train --resume runs/nano-001                          # go on\n  \
    svc train specs/nano.svspec --resume runs/nano-001        # go on, if the spec still means the same"
)]
pub struct Train {
    /// The spec file; with --resume it may be left out
    #[arg(required_unless_present = "resume")]
    file: Option<String>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    setting: Setting,
    /// Of the initialisation and of the data's order; default: the spec's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Multiply the learning rate of every parameter group by this; the decay, which it multiplies, too
    #[arg(long, value_name = "F", value_parser = training::positive)]
    lr_scale: Option<f64>,
    /// The run's folder; default: the next free runs/TARGET-001
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Go on with the run in this folder
    #[arg(long, value_name = "RUN")]
    resume: Option<PathBuf>,
    /// Begin with the parameters in this folder, as Hugging Face transformers saves them
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    init_from: Option<PathBuf>,
    /// Validate on this, too; may be given several times. What PATH may be is as for --data
    #[arg(long, value_name = "NAME=PATH", value_parser = training::validation_set)]
    val: Vec<String>,
    /// At each validation, measure the sharpness: the largest eigenvalue of the Hessian of the loss
    #[arg(long)]
    sharpness: bool,
    /// What one device can do at best, in floating-point operations a second, such as 989e12: rows then have the MFU
    #[arg(long, value_name = "F", value_parser = training::positive)]
    peak_flops: Option<f64>,
    /// Overwrite files of the generated crate that were edited by hand
    #[arg(long)]
    force: bool,
}

impl Train {
    fn own(&self) -> Own<'_> {
        let Self { seed, lr_scale, sharpness, peak_flops, ref val, .. } = *self;
        Own { seed, lr_scale, val, sharpness, peak_flops, quiet: false }
    }
}

/// Begins a run or goes on with one, then draws it and says where everything is.
pub fn run(args: &Train) -> anyhow::Result<Outcome> {
    match (&args.resume, &args.file) {
        (Some(run), file) => resume(args, run, file.as_deref()),
        (None, Some(file)) => begin(args, file),
        (None, None) => bail!("name a spec file, or a run with --resume"),
    }
}

fn begin(args: &Train, file: &str) -> anyhow::Result<Outcome> {
    let spec = Spec::open(&Origin::Disk, file)?;
    let generated = generate::generate(&spec, &args.target)?;
    if let Some(folder) = &args.init_from {
        spec.require_foreign_names(&generated.checked)?;
        require_parameters(folder)?;
    }
    if let Some(folder) = &args.out {
        run_folder::require_free(folder)?;
    }
    let data = &args.setting.data;
    let ready = training::prepare(&generated, &generated.default_folder(), consent(args), data)?;
    let folder = match &args.out {
        Some(folder) => run_folder::create_at(folder).map(|()| folder.clone())?,
        None => run_folder::create(&generated.name)?,
    };
    run_folder::record(&folder, &spec, &generated, &args.target, data)?;
    let start = args.init_from.as_deref().map_or(Start::Fresh, Start::From);
    let trained = training::train(ready, &folder, start, &args.setting, args.own());
    if trained.is_err() {
        run_folder::discard_unless_begun(&folder)?;
    }
    conclude(&folder, &generated.name, trained?)
}

fn resume(args: &Train, run: &Path, file: Option<&str>) -> anyhow::Result<Outcome> {
    let recorded = run_folder::recorded(run)?;
    let spec = recorded.open(run)?;
    let generated = generate::generate(&spec, &recorded.target()?)?;
    if let Some(file) = file {
        require_same(args, file, &recorded, &generated)?;
    }
    if !run_folder::is_resumable(run) {
        bail!("`{}` holds no run to go on with: begin anew without --resume", run.display());
    }
    let data = if args.setting.data.is_empty() { &recorded.data } else { &args.setting.data };
    let ready = training::prepare(&generated, &generated.default_folder(), consent(args), data)?;
    // What the command line leaves out, the trainer takes from the run itself.
    let ended = training::train(ready, run, Start::Resumed, &args.setting, args.own())?;
    conclude(run, &generated.name, ended)
}

fn consent(args: &Train) -> Consent {
    if args.force { Consent::Given } else { Consent::Ask }
}

/// Refuses to go on if `file` has come to mean something else than what the run began with.
fn require_same(args: &Train, file: &str, recorded: &Recorded, began: &Generated) -> anyhow::Result<()> {
    let spec = Spec::open(&Origin::Disk, file)?;
    let name = spec.target(args.target.variant.as_deref().or(Some(&recorded.target)))?;
    let now = spec.compile(&name)?;
    let diff = svspec_ir::diff::diff(&began.checked, &now);
    if diff.is_empty() {
        return Ok(());
    }
    terminal::note(diff.text().trim_end());
    bail!(
        "`{file}` is no longer the spec that the run began with; what changed is shown above: leave the file out to go \
         on with the run's own copy, or begin a new run without --resume"
    )
}

fn conclude(run: &Path, name: &str, ended: Ended) -> anyhow::Result<Outcome> {
    draw(run, name)?;
    terminal::print(&places(run, ended))?;
    match ended {
        Ended::Finished => Ok(Outcome::Fine),
        Ended::Interrupted => Ok(Outcome::Interrupted),
        Ended::Diverged => bail!("the run in `{}` diverged; the trainer has said where", run.display()),
    }
}

/// Draws the loss curve, if there is anything to draw yet.
fn draw(run: &Path, name: &str) -> anyhow::Result<()> {
    let rows = run_folder::rows(run).unwrap_or_default();
    if rows.is_empty() {
        return Ok(());
    }
    let validations = run_folder::evaluations(run)?;
    let series = picture::Series {
        name: name.to_owned(),
        train: rows.iter().map(|row| (row.step as f64, row.loss)).collect(),
        validation: validations.iter().map(|row| (row.step as f64, row.val_loss)).collect(),
    };
    let entropy = run_folder::summary(run)?.map(|summary| summary.unigram_entropy);
    let path = run.join("loss.svg");
    std::fs::write(&path, picture::loss_curve(name, &[series], entropy))
        .with_context(|| format!("cannot write `{}`", path.display()))
}

fn places(run: &Path, ended: Ended) -> String {
    let kept = [
        ("checkpoint/", "weights, optimizer, random state, place in the data"),
        ("checkpoints/", "older ones that are kept"),
        (
            "metrics.jsonl",
            "loss, learning rates, gradient norms, speed, memory, and where the time went, by step",
        ),
        ("metrics.tfevents", "these and the scale vectors for TensorBoard"),
        ("loss.svg", "the loss curve"),
        ("scales.jsonl", "the scale vectors by role: their statistics, decay, and balance with the weights"),
        ("health.jsonl", "what was wrong, and what was done about it"),
        ("sample.txt", "text that the model wrote"),
        ("summary.json", "how it ended"),
        ("spec/", "the spec as it was trained"),
        ("source/", "the code that was generated from it"),
    ];
    let shown = run.display();
    let mut text = format!("\n{shown}/\n");
    // Of a run with which nothing was wrong the list of faults is empty.
    let is_there =
        |name: &str| run.join(name).metadata().is_ok_and(|found| found.is_dir() || found.len() > 0);
    for (name, what) in kept.iter().filter(|(name, _)| is_there(name)) {
        text.push_str(&format!("  {name:16} {what}\n"));
    }
    if ended == Ended::Interrupted {
        text.push_str(&format!("stopped; go on with\n  svc train --resume {shown}\n"));
    }
    text
}

/// An error if no parameters lie in `folder`; said before minutes of compiling, not after.
fn require_parameters(folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the parameters to begin with, `{shown}`"))?;
    let [whole, index] = ["model.safetensors", "model.safetensors.index.json"];
    if ![whole, index].iter().any(|file| folder.join(file).is_file()) {
        bail!("`{shown}` holds no parameters to begin with: neither `{whole}` nor `{index}`");
    }
    Ok(())
}
