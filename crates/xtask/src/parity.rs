//! Families' configurations to fresh references, made by Hugging Face transformers, and the specs held against them.

mod environment;

use crate::{command, repository, test};
use anyhow::{Context, Result};
use environment::Python;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// What `cargo xtask parity` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Only these families: names of folders in tests/parity/families
    names: Vec<String>,
    /// Writes the references and counts that are committed, instead of fresh ones beside them
    #[arg(long)]
    update: bool,
}

/// Makes the references, compares, and says whether all agree.
pub fn run(args: &Args) -> Result<ExitCode> {
    let parity = repository::root().join("tests/parity");
    let families = parity.join("families");
    let fresh = repository::root().join(".cache/parity/references");
    let python = Python::prepared(&parity.join("requirements.txt"))?;
    let references = if args.update { families.clone() } else { fresh };
    if !args.update && references.exists() {
        fs::remove_dir_all(&references)
            .with_context(|| format!("cannot clear `{}`", references.display()))?;
    }
    let mut make = python.run(&parity.join("reference.py"));
    make.arg(&families).arg(&references).args(&args.names);
    command::succeed(make)?;

    let counts = references.join("counts.json");
    let mut count = python.run(&parity.join("counts.py"));
    count.arg(&families).arg(&counts);
    command::succeed(count)?;
    let committed = parity.join("counts.json");
    if args.update {
        fs::rename(&counts, &committed).context("cannot write the table of counts")?;
    }
    let are_counts_same = args.update || same(&counts, &committed)?;
    if !are_counts_same {
        eprintln!("error: {} is not what transformers counts; `--update` writes it", committed.display());
    }

    command::succeed(command::svc(&["doctor", "--fetch"]))?;
    let mut compare = test::with_libtorch(command::cargo(&[
        "test",
        "--release",
        "--no-fail-fast",
        "--package",
        "svspec-parity-tests",
    ]))?;
    compare.env("SVSPEC_PARITY_REFERENCES", &references);
    let status = compare.status().context("cannot start cargo")?;
    Ok(if status.success() && are_counts_same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn same(a: &Path, b: &Path) -> Result<bool> {
    let read = |path: &Path| fs::read(path).with_context(|| format!("cannot read `{}`", path.display()));
    Ok(read(a)? == read(b)?)
}
