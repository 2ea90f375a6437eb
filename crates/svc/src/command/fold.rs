//! `svc fold`: a spec in; which of its scale vectors fold into weights, and what stands in the way of the others, out.

use crate::huggingface::{self, Found};
use crate::outcome::Outcome;
use crate::read::Origin;
use crate::spec::Spec;
use crate::terminal;
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::Serialize;
use svspec_ir::{CheckedModel, print};

/// Say which scale vectors fold into weights, and why the others do not
///
/// A vector folds if the model without it, with some weights' rows or columns multiplied by γ, is the same function:
/// then it costs nothing to run, and fits a model family that has no place for it. γ is computed first, whatever
/// form it is trained in. A normalisation never folds. For a vector that stays, the reason is given in both directions,
/// and each single change of the spec that would let it fold. At the end stands as which family `svc export` would write
/// the model, or the first difference from the nearest. Nothing is written.
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
    let found = huggingface::search(&checked, None)?;
    let text = match args.format {
        Format::Text => format!("{}\n{}", view.text(), verdict(&checked, &found)),
        Format::Json => {
            let whole = Whole { view: &view, export: export(&checked, &found) };
            format!("{}\n", serde_json::to_string_pretty(&whole).context("a print is plain data")?)
        }
    };
    terminal::print(&text)?;
    Ok(if view.num_folding == view.scales.len() { Outcome::Fine } else { Outcome::Findings })
}

/// What is printed for programs.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    view: &'a print::fold::FoldView,
    export: Export,
}

/// What `svc export` would make of the model.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Export {
    /// A model of this family; the vectors that have no place in it, and fold.
    Family { name: String, folded: Vec<String> },
    /// Nothing: the nearest family, and the first difference from it.
    None { nearest: String, difference: Vec<String> },
}

fn export(checked: &CheckedModel, found: &Found) -> Export {
    match found {
        Found::Fits(family, fit) => {
            Export::Family { name: family.model_type.clone(), folded: fit.folded_paths(checked) }
        }
        Found::None(nearest) => {
            Export::None { nearest: nearest.family.clone(), difference: nearest.difference.clone() }
        }
    }
}

/// The same for people.
fn verdict(checked: &CheckedModel, found: &Found) -> String {
    match found {
        Found::Fits(family, fit) => {
            let what = match fit.folded_paths(checked).as_slice() {
                [] => "every vector has a place in it".to_owned(),
                folded => format!("without a place in it, and folded: {}", folded.join(", ")),
            };
            format!("`svc export` writes it as {}: {what}\n", family.model_type)
        }
        Found::None(nearest) => {
            nearest.text("`svc export` cannot write it: it is of no known family; nearest is")
        }
    }
}
