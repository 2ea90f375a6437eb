//! `svc export`: a run in; a folder that transformers loads, with the same logits, out.

use crate::checkpoint::{Checkpoint, Tensors};
use crate::huggingface::{self, Family, Fit};
use crate::outcome::{Faulty, Outcome};
use crate::{run_folder, terminal};
use anyhow::{Context as _, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use svspec_ir::correspondence::{self, Source};
use svspec_ir::eval::{Tensor, Values};
use svspec_ir::foreign::{ForeignInstance, Piece};
use svspec_ir::{Absorption, CheckedModel, Instance, Model, dim};

/// Write a trained model as transformers loads it
///
/// Finds a family of models whose graph is that of the run's spec; names are free. Scale vectors that the family has no
/// place for are folded into weights, whatever form they were trained in, and its places for vectors that the spec
/// lacks are filled with ones. If no family fits, the first difference from each is named: `svc fold` says which vectors
/// fold, and what would let the others.
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
    /// The most bytes in one file of weights
    #[arg(long, value_name = "BYTES", default_value_t = 5_000_000_000)]
    shard_size: usize,
}

/// Fits, folds and writes.
pub fn run(args: &Export) -> anyhow::Result<Outcome> {
    if !is_free(&args.to) {
        bail!("`{}` is there and is not an empty folder: name a new one with --to", args.to.display());
    }
    let recorded = run_folder::recorded(&args.run)?;
    let checked = recorded.open(&args.run)?.compile(&recorded.target)?;
    let families = match &args.family {
        Some(name) => vec![huggingface::family(name)?],
        None => huggingface::families()?,
    };
    let (family, fit) = first_fit(&checked, families)?;
    let checkpoint = Checkpoint::read(&args.run)?;
    let tensors = checkpoint.tensors()?;
    let folded = folded(&checked, &fit, &tensors)?;
    run_folder::create_at(&args.to)?;
    let num_files = huggingface::write(&args.to, &fit.tensors, args.shard_size, |foreign| {
        bytes(foreign, |piece| entries(&checked, &fit, &folded, &tensors, piece))
    })?;
    // The config last: a folder without one is not taken for a model.
    let path = args.to.join("config.json");
    let config = serde_json::to_string_pretty(&fit.config).context("a config is plain data")?;
    std::fs::write(&path, config + "\n").with_context(|| format!("cannot write `{}`", path.display()))?;
    terminal::print(&summary(args, &checked, &family, &fit, num_files))?;
    Ok(Outcome::Fine)
}

/// Whether nothing is in the way of a new folder.
fn is_free(folder: &Path) -> bool {
    !folder.exists() || std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// The first family that the model is of, or how it differs from each.
fn first_fit(checked: &CheckedModel, families: Vec<Family>) -> anyhow::Result<(Family, Fit)> {
    let name = &checked.model().name;
    let kinds: Vec<&str> = families.iter().map(|family| family.model_type.as_str()).collect();
    let mut differences =
        format!("error: `{name}` is of none of the families asked for ({})\n", kinds.join(", "));
    for family in families {
        match huggingface::fit(checked, &family) {
            Ok(fit) => return Ok((family, fit)),
            Err(error) => differences.push_str(&format!("  {}: {error:#}\n", family.model_type)),
        }
    }
    Err(Faulty(differences).into())
}

/// The values of what folding and vectors touch, folded; all else is copied as it lies.
fn folded(checked: &CheckedModel, fit: &Fit, tensors: &Tensors<'_>) -> anyhow::Result<Values> {
    let model = checked.model();
    let mut touched: Vec<_> = model.scales.iter().flat_map(|scale| scale.params.clone()).collect();
    for facts in checked.facts().iter().filter(|facts| fit.correspondence.folded.contains(&facts.scale)) {
        match &facts.absorption {
            Absorption::IntoColumns(folds) | Absorption::IntoRows(folds) => {
                touched.extend(folds.iter().map(|fold| fold.weight));
            }
            Absorption::None(_) => {}
        }
    }
    let mut values = Values::new();
    for instance in model.instances().into_iter().filter(|instance| touched.contains(&instance.param)) {
        let shape =
            model.params.get(instance.param.0).map(|param| dim::sizes(&param.dims)).unwrap_or_default();
        let data = tensors.values(&model.instance_name(instance), shape.iter().product())?;
        values.insert(instance, Tensor::new(shape, data));
    }
    Ok(correspondence::folded(checked, &values, &fit.correspondence))
}

/// The bytes of a tensor as transformers stores it, of those of the tensors that it holds.
fn bytes(
    foreign: &ForeignInstance,
    entries: impl Fn(Piece) -> anyhow::Result<Vec<[u8; 4]>>,
) -> anyhow::Result<Vec<u8>> {
    let pieces = foreign.pieces.iter().map(|&piece| entries(piece)).collect::<anyhow::Result<Vec<_>>>()?;
    let joined = foreign.join(&pieces, 0_f32.to_le_bytes());
    let joined = joined.with_context(|| format!("`{}` has not the entries that it holds", foreign.name))?;
    Ok(joined.concat())
}

/// The entries of a tensor of the family's model, as 32-bit floats.
fn entries(
    checked: &CheckedModel,
    fit: &Fit,
    folded: &Values,
    tensors: &Tensors<'_>,
    Piece { instance, slice }: Piece,
) -> anyhow::Result<Vec<[u8; 4]>> {
    let (ours, theirs) = (checked.model(), fit.family_model.model());
    let name = theirs.instance_name(instance);
    let source = fit.correspondence.tensors.get(&instance);
    let source = *source.with_context(|| format!("nothing corresponds to `{name}`"))?;
    if let Source::Tensor(own) = source
        && !folded.contains_key(&own)
    {
        let dims = ours.params.get(own.param.0).map_or(0, |param| dim::num_elements(&param.dims));
        let (entries, _) = tensors.bytes(&ours.instance_name(own), dims)?.as_chunks::<4>();
        return Ok(of_slice(ours, own, entries, slice));
    }
    let value = correspondence::value(ours, theirs, folded, instance, source);
    let value = value.with_context(|| format!("`{name}` cannot take the value of its vector"))?;
    let entries: Vec<[u8; 4]> = value.data.iter().map(|&entry| (entry as f32).to_le_bytes()).collect();
    Ok(of_slice(theirs, instance, &entries, slice))
}

/// The part of one slice, whose number is the first dimension's; or the whole.
fn of_slice(model: &Model, instance: Instance, entries: &[[u8; 4]], slice: Option<usize>) -> Vec<[u8; 4]> {
    let Some(slice) = slice else { return entries.to_vec() };
    let first = model.params.get(instance.param.0).and_then(|param| param.dims.first());
    let num_slices = first.map_or(1, |dim| dim.size).max(1);
    let per_slice = entries.len() / num_slices;
    entries.iter().skip(slice * per_slice).take(per_slice).copied().collect()
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
    let paths = fit.correspondence.folded.iter().filter_map(|id| checked.model().scales.get(id.0));
    let paths: Vec<&str> = paths.map(|scale| scale.path.as_str()).collect();
    if !paths.is_empty() {
        text.push_str(&format!(
            "  folded into weights: {}\n",
            svspec_ir::print::paths::joined(&paths).join(", ")
        ));
    }
    text
}
