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
    let (large, deep) = (specs.join("llama3.svspec"), deep(scratch)?);
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
            what: "`svc check` the Llama family",
            value: median_time(NUM_RUNS, || check(std::slice::from_ref(&llama)))?,
        },
        Figure { what: "`svc build` nano", value: median_time(NUM_RUNS, || build(&nano, "nano"))? },
        Figure { what: "`svc build` Llama-1B", value: median_time(NUM_RUNS, || build(&llama, "llama_1b"))? },
        Figure {
            what: "`svc build` Llama-3-70B",
            value: median_time(NUM_RUNS, || build(&large, "llama3_70b"))?,
        },
        Figure {
            what: "`svc check` 100 layers, of which no two have the same sizes",
            value: median_time(NUM_RUNS, || check(std::slice::from_ref(&deep)))?,
        },
        Figure { what: "`svc build` these", value: median_time(NUM_RUNS, || build(&deep, "deep"))? },
        Figure { what: "`svc check`, 1,000 specs in one call", value: median_time(5, || check(&many))? },
    ])
}

/// The release binary itself, not by way of cargo, which takes longer than it.
pub fn svc(args: &[&str], files: &[impl AsRef<Path>]) -> Command {
    let mut command = Command::new(repository::target().join("release/svc"));
    command.args(args).args(files.iter().map(AsRef::as_ref)).current_dir(repository::root());
    command
}

/// A spec of 100 layers that all differ: in sizes, and in numbers that give no value its shape.
fn deep(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("deep.svspec");
    std::fs::create_dir_all(folder)?;
    std::fs::write(&path, DEEP).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

const DEEP: &str = "svspec 1

model deep {
    vocab   = 50_304
    context = 4096
    width   = 4096

    attention attn { heads = 2 * layer, kv_heads = layer, head_dim = 128, rope { theta = 1e4 * layer }, window = 32 * layer }
    swiglu    mlp  { hidden = 64 * layer }
    rms_norm  attn_norm, mlp_norm, final_norm
    attn.{q, k} : out normalize(head) + scale

    layer {
        x = x + attn(attn_norm(x)) / sqrt(layer)
        x = x + mlp(mlp_norm(x)) / sqrt(layer)
    }
    stack  = 100 * layer
    logits = unembed(final_norm(x))
}

optimizer adamw {
    decay 0.1 on weight
    decay 0   on embedding
    decay 0.1 on scale where role == input
    decay 0   on scale where role == output
    init normal(0.02 / sqrt(layer)) on attn.o, mlp.down
}
";

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
