//! A generated crate made ready to train: LibTorch found, the crate written and compiled, the text to train on at hand.

use crate::cargo::{self, Toolchain};
use crate::generate::Generated;
use crate::home::Home;
use crate::manifest::Consent;
use crate::trainer::Ended;
use crate::turn::Turn;
use crate::{corpus, libtorch, runtime, trainer, turn};
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where and on what to train: the arguments that `train` and `ablate` share.
#[derive(Clone, Debug, Args)]
pub struct Setting {
    /// What to train on: a folder of `svc prepare`; .bin files of nanoGPT or llm.c; or text, a file or a folder, whose
    /// tokens are its bytes. Several, as PATH or PATH@WEIGHT, are a mixture; default: Rust sources, pinned by hash
    #[arg(long, value_name = "PATH[@WEIGHT]")]
    pub data: Vec<PathBuf>,
    /// Optimizer steps; default: the spec's budget
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps: Option<u64>,
    /// Where to train; default: the GPU where there is one
    #[arg(long, value_enum)]
    pub device: Option<Device>,
    /// Processes on this machine that train together; default: one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub nproc: Option<u64>,
    /// Where the optimizer's state is among them: whole in each, or sharded; default: whole
    #[arg(long, value_name = "WHICH", value_parser = ["whole", "sharded"])]
    pub optimizer_state: Option<String>,
    /// CPU threads; default: LibTorch's choice
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub threads: Option<u32>,
}

/// A factor on the command line: a finite number above 0.
pub fn positive(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor: &f64| factor.is_finite() && *factor > 0.0);
    factor.ok_or_else(|| "a number above 0 is wanted".to_owned())
}

/// A validation set on the command line: `NAME=PATH`, of which the path is there.
pub fn validation_set(text: &str) -> Result<String, String> {
    let path = match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => path,
        Some(_) | None => return Err("NAME=PATH is wanted, such as wiki=wiki.txt".to_owned()),
    };
    std::fs::metadata(path).map(|_| text.to_owned()).map_err(|error| format!("cannot read `{path}`: {error}"))
}

/// What a run has of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Own<'a> {
    /// Instead of the spec's seed.
    pub seed: Option<u64>,
    /// What every learning rate is multiplied by.
    pub lr_scale: Option<f64>,
    /// What to validate on besides, as NAME=PATH.
    pub val: &'a [String],
    /// Whether the sharpness of the loss is measured at each validation.
    pub sharpness: bool,
    /// What one device can do at best, in floating-point operations a second.
    pub peak_flops: Option<f64>,
    /// Whether the trainer says errors alone.
    pub quiet: bool,
}

/// Where to train.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Device {
    /// The processor
    Cpu,
    /// An NVIDIA GPU
    Cuda,
}

impl Device {
    pub fn word(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }
}

/// A compiled trainer and what it needs.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The executable.
    pub trainer: PathBuf,
    /// The folder of LibTorch.
    pub libtorch: PathBuf,
    /// What to train on.
    pub data: Vec<PathBuf>,
    /// Held until the trainer has been started, for as long as it lies where others are put, too.
    pub turn: Option<Arc<Turn>>,
}

/// Writes `generated` to `folder`, compiles it, and finds the text to train on.
pub fn prepare(
    generated: &Generated,
    folder: &Path,
    consent: Consent,
    data: &[PathBuf],
) -> anyhow::Result<Ready> {
    for data in data {
        std::fs::metadata(without_weight(data))
            .with_context(|| format!("cannot read what to train on, `{}`", data.display()))?;
    }
    let home = Home::find()?;
    let libtorch = libtorch::ensure(&home)?;
    let turn = turn::wait(&home.target())?;
    generated.write(folder, consent)?;
    let runtime = runtime::ensure(&home, generated)?;
    let toolchain = Toolchain { libtorch: libtorch.clone(), runtime, target: home.target() };
    let trainer = cargo::build(folder, &generated.name, &toolchain)?;
    let data = if data.is_empty() { vec![corpus::ensure(&home, folder)?] } else { data.to_vec() };
    Ok(Ready { trainer, libtorch, data, turn: Some(Arc::new(turn)) })
}

/// The path in `PATH@WEIGHT`; a path that is there is a path, whatever its name.
fn without_weight(data: &Path) -> &Path {
    let apart = data.to_str().and_then(|data| data.rsplit_once('@'));
    match apart {
        Some((path, weight)) if weight.parse::<f64>().is_ok() && !data.exists() => Path::new(path),
        Some(_) | None => data,
    }
}

/// Whether a run begins or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// From the initialisation.
    Fresh,
    /// From the parameters that other software saved in this folder.
    From(&'a Path),
    /// From the run's checkpoint.
    Resumed,
}

/// Trains in the folder `run`.
pub fn train(
    ready: Ready,
    run: &Path,
    start: Start<'_>,
    setting: &Setting,
    own: Own<'_>,
) -> anyhow::Result<Ended> {
    let mut arguments: Vec<OsString> =
        ready.data.into_iter().flat_map(|data| ["--data".into(), data.into()]).collect();
    arguments.push(match start {
        Start::Fresh | Start::From(_) => "--out".into(),
        Start::Resumed => "--resume".into(),
    });
    arguments.push(run.into());
    match start {
        Start::Fresh | Start::Resumed => {}
        Start::From(folder) => arguments.extend(["--init-from".into(), folder.into()]),
    }
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            arguments.extend([name.into(), value.into()]);
        }
    };
    option("--steps", setting.steps.map(|steps| steps.to_string()));
    option("--seed", own.seed.map(|seed| seed.to_string()));
    option("--lr-scale", own.lr_scale.map(|factor| factor.to_string()));
    option("--nproc", setting.nproc.map(|nproc| nproc.to_string()));
    option("--optimizer-state", setting.optimizer_state.clone());
    option("--device", setting.device.map(|device| device.word().to_owned()));
    option("--threads", setting.threads.map(|threads| threads.to_string()));
    for set in own.val {
        option("--val", Some(set.clone()));
    }
    option("--peak-flops", own.peak_flops.map(|peak| peak.to_string()));
    if own.sharpness {
        arguments.push("--sharpness".into());
    }
    if own.quiet {
        arguments.push("--quiet".into());
    }
    if !ready.trainer.is_file() {
        bail!("the trainer `{}` has been removed: run the same command again", ready.trainer.display());
    }
    trainer::run(&ready.trainer, &arguments, &ready.libtorch, ready.turn)
}
