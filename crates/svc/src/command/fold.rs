//! `svc fold`: a spec in; which of its scale vectors fold into weights, and what stands in the way of the others, out.

use crate::outcome::Outcome;
use crate::read::Origin;
use crate::spec::Spec;
use crate::terminal;
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use svspec_ir::print;

/// Say which scale vectors fold into weights, and why the others do not
///
/// A vector folds if the model without it, with some weights' rows or columns multiplied by γ, is the same function:
/// then it costs nothing to run, and fits a model family that has no place for it. γ is computed first, whatever
/// form it is trained in. A normalisation never folds. For a vector that stays, the reason is given in both directions,
/// and each single change of the spec that would let it fold. Nothing is written; `svc export` decides alike.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 every scale vector folds, 1 some stay, 2 could not run.\n\n\
    Examples:\n  \
    svc fold specs/nano.svspec\n  \
    svc fold specs/nano.svspec --variant unified\n  \
    svc fold specs/nano.svspec --format json   # for programs; carries `format_version`\n\n\
    See also `svc explain absorbable`, and `svc show roles` for the whole proof.")]
pub struct Fold {
    /// The spec file
    #[arg(value_name = "SPEC")]
    file: String,
    /// The model or variant; default: the file's first model
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs; carries `format_version`
    Json,
}

/// Compiles and prints.
pub fn run(args: &Fold) -> anyhow::Result<Outcome> {
    let spec = Spec::open(&Origin::Disk, &args.file)?;
    let checked = spec.compile(&spec.target(args.variant.as_deref())?)?;
    let view = print::fold::view(&checked);
    let text = match args.format {
        Format::Text => view.text(),
        Format::Json => {
            format!("{}\n", serde_json::to_string_pretty(&view).context("a print is plain data")?)
        }
    };
    terminal::print(&text)?;
    Ok(if view.num_folding == view.scales.len() { Outcome::Fine } else { Outcome::Findings })
}
