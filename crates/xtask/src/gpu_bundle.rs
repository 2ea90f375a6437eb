//! The checkout to one archive that tests and measures trainers on a machine with a GPU: no checkout, no compiler and no network are
//! needed there.
//!
//! It holds compiled programs, what they are compared with, and `run`, which finds LibTorch and does the rest.

mod case;
mod runtime;
mod trainer;

use crate::{command, repository};
use anyhow::{Context, Result, ensure};
use case::{FAMILIES, PAIRS, Pair};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use trainer::{Workshop, executable};

/// What `cargo xtask gpu-bundle` takes.
#[derive(clap::Args)]
pub struct Args {
    /// The archive
    #[arg(long, short, value_name = "FILE", default_value = "target/svspec-gpu-bundle.tar.gz")]
    out: PathBuf,
    /// Leave out the models that only a GPU can train
    #[arg(long)]
    small: bool,
}

/// The archive's one folder.
const NAME: &str = "svspec-gpu-bundle";
const MAX_BYTES: u64 = 64 << 20;
const SCRIPT: &str = include_str!("gpu_bundle/run.py");

/// Compiles, packs, and runs on this machine's CPU what the bundle can do there.
pub fn run(args: &Args) -> Result<ExitCode> {
    command::succeed(command::svc(&["doctor", "--fetch"])).context("LibTorch is needed")?;
    let work = repository::target().join("gpu-bundle");
    let bundle = work.join(NAME);
    if bundle.exists() {
        std::fs::remove_dir_all(&bundle).with_context(|| format!("cannot empty {}", bundle.display()))?;
    }
    for folder in ["trainers", "families", "tests/deps", "tests/examples"] {
        let folder = bundle.join(folder);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let crates = work.join("crates");
    std::fs::create_dir_all(&crates).with_context(|| format!("cannot make {}", crates.display()))?;
    let workshop = Workshop::open(&crates);
    let mut pairs = Vec::new();
    for pair in PAIRS.iter().filter(|pair| !(args.small && pair.only_gpu)) {
        pairs.push(pack_pair(pair, &workshop, &work, &bundle)?);
    }
    for family in FAMILIES {
        pack_family(family, &workshop, &bundle)?;
    }
    pack_tests(&bundle)?;
    let list = json!({ "format_version": 1, "pairs": pairs, "families": FAMILIES });
    write(&bundle.join("bundle.json"), &format!("{list:#}\n"))?;
    let script = bundle.join("run");
    write(&script, SCRIPT)?;
    let mut executable = Command::new("chmod");
    executable.arg("+x").arg(&script);
    command::succeed(executable)?;

    let archive = repository::root().join(&args.out);
    let mut tar = Command::new("tar");
    tar.args(["--create", "--gzip", "--file"]).arg(&archive).arg("--directory").arg(&work).arg(NAME);
    command::succeed(tar)?;
    let size = archive.metadata().with_context(|| format!("cannot read {}", archive.display()))?.len();
    ensure!(size < MAX_BYTES, "{} has {size} bytes, more than 64 MiB", archive.display());
    // What does not run here would not run there.
    let mut trial = Command::new(&script);
    trial
        .args(["--device", "cpu", "--out"])
        .arg(work.join("results"))
        .env("LIBTORCH", repository::libtorch());
    command::succeed(trial)?;
    let mebibytes = size as f64 / f64::from(1 << 20);
    println!(
        "{} ({mebibytes:.1} MiB): unpack it on the machine with the GPU, and {NAME}/run",
        args.out.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// Puts the trainers there, and says what `run` has to know of them.
fn pack_pair(pair: &Pair, workshop: &Workshop, work: &Path, bundle: &Path) -> Result<Value> {
    let spec = work.join("crates").join(pair.spec).with_extension("svspec");
    let specs = repository::root().join("specs");
    write(&spec, &pair.spec(specs.to_str().context("paths of a checkout are UTF-8")?))?;
    let mut models = Vec::new();
    for model in &pair.models {
        let name = model.name;
        workshop.make(&spec, name, &bundle.join("trainers").join(name))?;
        let file = repository::shown(&spec);
        let show = command::svc(&["show", "cost", &file, "--variant", name, "--format", "json"]);
        let cost: Value =
            serde_json::from_str(&command::output(show, &[0])?).context("svc show prints JSON")?;
        let count = |pointer: &str| {
            cost.pointer(pointer).cloned().with_context(|| format!("svc show cost says nothing of {pointer}"))
        };
        let (num_params, flops) = (count("/num_params")?, count("/flops/training")?);
        models.push(json!({ "name": name, "num_params": num_params, "training_flops_per_token": flops }));
    }
    let Pair { spec: name, context, vocab, steps, only_gpu, .. } = pair;
    Ok(json!({
        "name": name, "context": context, "vocab": vocab, "steps": steps, "only_gpu": only_gpu, "models": models
    }))
}

/// The family's trainer, its weights, and what transformers computed with them.
fn pack_family(family: &str, workshop: &Workshop, bundle: &Path) -> Result<()> {
    let folder = repository::root().join("tests/parity/families").join(family);
    let spec = folder.join(family).with_extension("svspec");
    workshop.make(
        &spec,
        &format!("{family}_tiny"),
        &bundle.join("trainers").join(format!("{family}_tiny")),
    )?;
    let to = bundle.join("families").join(family);
    std::fs::create_dir_all(&to).with_context(|| format!("cannot make {}", to.display()))?;
    ["model.safetensors", "reference.safetensors"]
        .iter()
        .try_for_each(|file| copy(&folder.join(file), &to.join(file)))
}

/// The runtime's tests, and the trainer that some of them start, where they look for it.
fn pack_tests(bundle: &Path) -> Result<()> {
    let arguments = [
        "test",
        "--release",
        "--quiet",
        "--no-run",
        "--package",
        "svspec-runtime",
        "--message-format=json-render-diagnostics",
    ];
    copy(&executable(&arguments, "runtime")?, &bundle.join("tests/deps/runtime"))?;
    copy(&executable(&arguments, "tiny")?, &bundle.join("tests/examples/tiny"))
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let copied = std::fs::copy(from, to);
    copied.map(drop).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}
