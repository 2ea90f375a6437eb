//! Families' configurations and techniques' equations to fresh references, made by Hugging Face transformers and by plain
//! PyTorch, and the specs held against them; traces of PyTorch's optimizers, and the runtime's held against those;
//! and what TensorBoard reads of a run, held against the run's rows.

mod environment;

use crate::{command, repository, test};
use anyhow::{Context, Result};
pub use environment::Python;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `cargo xtask parity` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Only these: names of folders in tests/parity/families and tests/parity/techniques
    names: Vec<String>,
    /// Families of your own, in this folder instead, laid out as those in tests/parity/families are
    #[arg(long, value_name = "FOLDER", conflicts_with = "update")]
    families: Option<PathBuf>,
    /// Writes the references and counts that are committed, instead of fresh ones beside them
    #[arg(long)]
    update: bool,
}

/// Makes the references, compares, lets transformers load what was exported, and says whether all agree.
pub fn run(args: &Args) -> Result<ExitCode> {
    let parity = repository::root().join("tests/parity");
    let families = match &args.families {
        Some(folder) => std::path::absolute(folder).context("the folder of families")?,
        None => parity.join("families"),
    };
    let fresh = repository::root().join(".cache/parity/references");
    let python = Python::prepared(&parity.join("requirements.txt"))?;
    let references = if args.update { parity.clone() } else { fresh };
    if !args.update && references.exists() {
        fs::remove_dir_all(&references)
            .with_context(|| format!("cannot clear `{}`", references.display()))?;
    }
    let (of_families, of_techniques): (Vec<&String>, Vec<&String>) =
        args.names.iter().partition(|name| families.join(name).is_dir());
    if args.names.is_empty() || !of_families.is_empty() {
        let mut make = python.run(&parity.join("reference.py"));
        make.arg(&families).arg(references.join("families")).args(of_families);
        command::succeed(make)?;
    }
    if args.families.is_none() && (args.names.is_empty() || !of_techniques.is_empty()) {
        let mut make = python.run(&parity.join("techniques.py"));
        make.arg(references.join("techniques")).args(of_techniques);
        command::succeed(make)?;
    }

    // The sizes of specs/, which families of one's own have no part in.
    let are_counts_same = args.families.is_some() || counts(&python, &parity, &references)?;

    command::succeed(command::svc(&["doctor", "--fetch"]))?;
    let mut compare = test::with_libtorch(command::cargo(&[
        "test",
        "--release",
        "--no-fail-fast",
        "--package",
        "svspec-parity-tests",
        "--features",
        "transformers",
    ]))?;
    python.equip(&mut compare);
    compare.env("SVSPEC_PARITY_REFERENCES", &references).env("SVSPEC_PARITY_FAMILIES", &families);
    let status = compare.status().context("cannot start cargo")?;
    let is_whole = args.families.is_none() && args.names.is_empty();
    let do_optimizers_follow =
        !is_whole || optimizers(&python, &parity, (!args.update).then_some(&references))?;
    let are_curves_read = !is_whole || curves(&python, &parity)?;
    let agree = status.success() && are_counts_same && do_optimizers_follow && are_curves_read;
    Ok(if agree { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Traces PyTorch's optimizers, into `fresh` or to where the committed traces are, and says whether the runtime's follow.
fn optimizers(python: &Python, parity: &Path, fresh: Option<&PathBuf>) -> Result<bool> {
    let of_runtime = repository::root().join("crates/svspec-runtime/tests/runtime");
    let folder = fresh.unwrap_or(&of_runtime);
    let mut trace = python.run(&parity.join("optimizers.py"));
    trace.arg(folder.join("pytorch.safetensors"));
    command::succeed(trace)?;
    let test = ["test", "--release", "--package", "svspec-runtime", "pytorch"];
    let mut follow = test::with_libtorch(command::cargo(&test))?;
    follow.env("SVSPEC_PARITY_REFERENCES", folder);
    Ok(follow.status().context("cannot start cargo")?.success())
}

/// Trains the tests' small model, goes back to a checkpoint in the middle, and says whether TensorBoard reads what the rows
/// say.
fn curves(python: &Python, parity: &Path) -> Result<bool> {
    let folder = tempfile::tempdir()?;
    let [text, run] = ["text.txt", "run"].map(|name| folder.path().join(name));
    fs::write(&text, "the quick brown fox jumps over the lazy dog; ".repeat(450))?;
    let train = |arguments: &[&OsStr]| -> Result<()> {
        let often = ["run", "--release", "--package", "svspec-runtime", "--example", "often", "--"];
        let mut train = test::with_libtorch(command::cargo(&often))?;
        train.args(["--quiet", "--device", "cpu"]).args(arguments);
        command::succeed(train)
    };
    train(&["--data".as_ref(), text.as_ref(), "--out".as_ref(), run.as_ref()])?;
    fs::remove_dir_all(run.join("checkpoint"))?;
    fs::rename(run.join("checkpoints/step-00000030"), run.join("checkpoint"))?;
    train(&["--resume".as_ref(), run.as_ref()])?;
    let mut read = python.run(&parity.join("events.py"));
    read.arg(&run);
    Ok(read.status().context("cannot start Python")?.success())
}

/// Whether the committed table of counts is what transformers counts.
fn counts(python: &Python, parity: &Path, references: &Path) -> Result<bool> {
    let fresh = references.join("counts.json");
    let mut count = python.run(&parity.join("counts.py"));
    count.arg(parity.join("families")).arg(&fresh);
    command::succeed(count)?;
    // One file where the committed references are written.
    let committed = parity.join("counts.json");
    let are_same = same(&fresh, &committed)?;
    if !are_same {
        eprintln!("error: {} is not what transformers counts; `--update` writes it", committed.display());
    }
    Ok(are_same)
}

fn same(a: &Path, b: &Path) -> Result<bool> {
    let read = |path: &Path| fs::read(path).with_context(|| format!("cannot read `{}`", path.display()));
    Ok(read(a)? == read(b)?)
}
