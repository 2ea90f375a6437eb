//! How long `svc check` and `svc build` take, the process included.

use super::{Figure, median_time};
use crate::command::output;
use crate::repository;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

const NUM_RUNS: usize = 20;

/// `scratch` is an empty folder.
pub fn figures(scratch: &Path) -> Result<Vec<Figure>> {
    let specs = repository::root().join("specs");
    let (nano, llama) = (specs.join("nano.svspec"), specs.join("llama.svspec"));
    let many = copies(&nano, &scratch.join("many"), 1000)?;
    let check = |files: &[PathBuf]| output(svc(&["check"], files), &[0]).map(drop);
    let build = |spec: &Path, target: &str| {
        let out = scratch.join(target);
        // Each run writes all of it, as the first one does.
        if out.exists() {
            std::fs::remove_dir_all(&out)?;
        }
        let mut command = svc(&["build"], &[spec.to_owned()]);
        command.args(["--variant", target, "--out"]).arg(&out);
        output(command, &[0]).map(drop)
    };
    Ok(vec![
        Figure {
            what: "`svc check` nano",
            value: median_time(NUM_RUNS, || check(std::slice::from_ref(&nano)))?,
        },
        Figure {
            what: "`svc check` the Llama family, 16 targets",
            value: median_time(NUM_RUNS, || check(std::slice::from_ref(&llama)))?,
        },
        Figure { what: "`svc build` nano", value: median_time(NUM_RUNS, || build(&nano, "nano"))? },
        Figure { what: "`svc build` Llama-1B", value: median_time(NUM_RUNS, || build(&llama, "llama_1b"))? },
        Figure { what: "`svc check`, 1,000 specs in one call", value: median_time(5, || check(&many))? },
    ])
}

/// The release binary itself, not by way of cargo, which takes longer than it.
pub fn svc(args: &[&str], files: &[impl AsRef<Path>]) -> Command {
    let root = repository::root();
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
    let mut command = Command::new(target.join("release/svc"));
    command.args(args).args(files.iter().map(AsRef::as_ref)).current_dir(root);
    command
}

/// `count` specs that differ in their last line, a comment; each is parsed and checked on its own.
fn copies(spec: &Path, folder: &Path, count: usize) -> Result<Vec<PathBuf>> {
    let text = std::fs::read_to_string(spec).with_context(|| format!("cannot read {}", spec.display()))?;
    std::fs::create_dir_all(folder)?;
    (0..count)
        .map(|index| {
            let path = folder.join(format!("spec_{index:04}.svspec"));
            std::fs::write(&path, format!("{text}\n// copy {index}\n"))?;
            Ok(path)
        })
        .collect()
}
