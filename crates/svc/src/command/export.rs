//! `svc export`: a run in; a folder that transformers loads, with the same logits, out.

use crate::checkpoint::Checkpoint;
use crate::huggingface::{self, Dtype, Family, Fit, Found, Nearest, Tensors};
use crate::outcome::{Faulty, Outcome};
use crate::{run_folder, terminal};
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use svspec_ir::CheckedModel;

/// Write a trained model as transformers loads it
///
/// Finds a family of models whose graph is that of the run's spec; names are free. Scale vectors that the family has no
/// place for are folded into weights, whatever form they were trained in, and its places for vectors that the spec
/// lacks are filled with ones. If no family fits, the nearest is named with the first difference from it: `svc fold` says
/// the same before anything is trained. Tensors are read, folded and written one by one.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 done, 1 the model is of no known family, 2 could not run.\n\n\
    Examples:\n  \
    svc export runs/nano-001 --to nano-hf\n  \
    svc export runs/nano-001 --to nano-hf --family qwen3\n\n\
    Then, in Python: transformers.AutoModelForCausalLM.from_pretrained(\"nano-hf\")\n\n\
    `svc new --help` lists the families.")]
pub struct Export {
    /// The run's folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The folder to write; it is new or empty
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// The only family to try
    #[arg(long)]
    family: Option<String>,
    /// How numbers are written
    #[arg(long, value_enum, default_value = "f32")]
    dtype: Form,
    /// The most bytes in one file of weights
    #[arg(long, value_name = "BYTES", default_value_t = 5_000_000_000)]
    shard_size: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// As the trainer keeps them, also where it computes in bf16
    F32,
    /// Rounded to bf16: half the space, other logits
    Bf16,
}

/// Fits, folds and writes.
pub fn run(args: &Export) -> anyhow::Result<Outcome> {
    if !is_free(&args.to) {
        bail!("`{}` is there and is not an empty folder: name a new one with --to", args.to.display());
    }
    let recorded = run_folder::recorded(&args.run)?;
    let checked = recorded.open(&args.run)?.compile(&recorded.target)?;
    let only = args.family.as_deref().map(huggingface::family).transpose()?;
    let (family, mut fit) = match huggingface::search(&checked, only)? {
        Found::Fits(family, fit) => (family, fit),
        Found::None(nearest) => return Err(misfit(&checked, &nearest).into()),
    };
    let checkpoint = Checkpoint::open(&args.run)?;
    run_folder::create_at(&args.to)?;
    let dtype = match args.dtype {
        Form::F32 => Dtype::F32,
        Form::Bf16 => Dtype::Bf16,
    };
    let mut tensors = Tensors::new(&checked, &fit, &checkpoint);
    let num_files = huggingface::write(&args.to, &fit.tensors, dtype, args.shard_size, |foreign| {
        tensors.entries(foreign)
    })?;
    // The config last: a folder without one is not taken for a model.
    let path = args.to.join("config.json");
    fit.config.insert("dtype".to_owned(), dtype.name().into());
    let config = serde_json::to_string_pretty(&fit.config).context("a config is plain data")?;
    std::fs::write(&path, config + "\n").with_context(|| format!("cannot write `{}`", path.display()))?;
    terminal::print(&summary(args, &checked, &family, &fit, num_files))?;
    Ok(Outcome::Fine)
}

/// Whether nothing is in the way of a new folder.
fn is_free(folder: &Path) -> bool {
    !folder.exists() || std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

fn misfit(checked: &CheckedModel, nearest: &Nearest) -> Faulty {
    let name = &checked.model().name;
    if nearest.others.is_empty() {
        return Faulty(nearest.text(&format!("error: `{name}` is not of the family")));
    }
    let mut text = format!("error: `{name}` is of no known family\n");
    text.extend(nearest.text("nearest is").lines().map(|line| format!("  {line}\n")));
    text.push_str(&format!("  `--family` says how it differs from another: {}\n", nearest.others.join(", ")));
    Faulty(text)
}

fn summary(args: &Export, checked: &CheckedModel, family: &Family, fit: &Fit, num_files: usize) -> String {
    let folder = args.to.display();
    let files = if num_files == 1 { "1 file".to_owned() } else { format!("{num_files} files") };
    let mut text = format!(
        "wrote {folder}: `{}` as {}, {} tensors in {files}\n",
        checked.model().name,
        family.model_type,
        fit.tensors.len()
    );
    if let Some(token) = checked.model().document_end {
        text.push_str(&format!(
            "  without `document_end = {token}`, which a config cannot say: a token there sees all documents before it\n"
        ));
    }
    let folded = fit.folded_paths(checked);
    if !folded.is_empty() {
        text.push_str(&format!("  folded into weights: {}\n", folded.join(", ")));
    }
    text
}
