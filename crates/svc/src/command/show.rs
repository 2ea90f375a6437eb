//! `svc show`: a spec and a stage of the compiler in, that stage's print out.

use crate::generate::Target;
use crate::outcome::Outcome;

use crate::read::Origin;
use crate::spec::Spec;
use crate::terminal;
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;
use svspec_ir::{CheckedModel, Model, print, rewrite};

/// Print a stage of the compiler, or draw the architecture
///
/// The tables are for reading; --format json gives the same as data with a `format_version`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    svc show groups specs/nano.svspec                      # which rule decays what\n  \
    svc show roles specs/nano.svspec --variant unified     # the role of each scale vector, with its proof\n  \
    svc show cost specs/llama.svspec --variant llama_1b    # parameters, FLOPs per token, memory\n  \
    svc show ir specs/nano.svspec --optimised              # the graph that code is generated from\n  \
    svc show graph specs/nano.svspec --out nano.svg        # a picture of the layer\n  \
    svc show schedule specs/nano.svspec                    # learning rate and weight decay over the steps\n  \
    svc show schedule specs/nano.svspec --format svg --out schedule.svg")]
pub struct Show {
    /// What to show
    #[arg(value_enum)]
    what: What,
    /// The spec file
    file: String,
    #[command(flatten)]
    target: Target,
    /// Show the model after the optimiser's rewrites, and list them (ir only)
    #[arg(long)]
    optimised: bool,
    /// How to print it; `graph` is always an SVG, and only `schedule` may be one
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write to this file rather than to standard output
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Every parameter: shape, kind, role, group, init
    Params,
    /// The parameter groups of the optimizer, and the rules that made them
    Groups,
    /// The role of each scale vector and whether it folds away, with the proof of both
    Roles,
    /// Parameters, FLOPs per token, bytes of a training step
    Cost,
    /// The data-flow graph
    Ir,
    /// All settings, with imports, variants and defaults resolved
    Resolved,
    /// A picture of the layer: norms, scale vectors coloured by decay, linear maps
    Graph,
    /// The learning rate and the weight decay over the steps
    Schedule,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs; carries `format_version`
    Json,
    /// A picture (graph and schedule only)
    Svg,
}

/// Compiles and prints.
pub fn run(args: &Show) -> anyhow::Result<Outcome> {
    if args.optimised && args.what != What::Ir {
        bail!("--optimised is for `svc show ir`: the rewrites change no parameter, group or role");
    }
    if args.what == What::Graph && matches!(args.format, Some(Format::Text | Format::Json)) {
        bail!(
            "`svc show graph` draws an SVG and takes no other --format; the graph as data is `svc show ir --format json`"
        );
    }
    if args.format == Some(Format::Svg) && !matches!(args.what, What::Graph | What::Schedule) {
        bail!(
            "only `svc show graph` and `svc show schedule` draw pictures; the others print --format text or json"
        );
    }
    let spec = Spec::open(&Origin::Disk, &args.file)?;
    let checked = spec.compile(&spec.target(args.target.variant.as_deref())?)?;
    let text = match args.format {
        Some(Format::Json) => json(args, &checked)?,
        Some(Format::Svg) if args.what == What::Schedule => {
            crate::picture::schedule(&print::schedule::view(&checked))
        }
        Some(Format::Svg) => crate::picture::graph(&checked),
        Some(Format::Text) | None => text(args, &checked),
    };
    let Some(path) = &args.out else {
        terminal::print(&text)?;
        return Ok(Outcome::Fine);
    };
    std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(Outcome::Fine)
}

/// The model that `args` asks for, and what the optimiser did to it.
fn model(args: &Show, checked: &CheckedModel) -> (Model, Vec<rewrite::Applied>) {
    if args.optimised {
        rewrite::optimise(checked.model(), &args.target.rewrites())
    } else {
        (checked.model().clone(), Vec::new())
    }
}

fn text(args: &Show, checked: &CheckedModel) -> String {
    match args.what {
        What::Params => print::params(checked),
        What::Groups => print::groups(checked),
        What::Roles => print::roles(checked),
        What::Resolved => print::resolved(checked),
        What::Graph => crate::picture::graph(checked),
        What::Schedule => print::schedule(checked),
        What::Cost => print::cost(checked),
        What::Ir => {
            let (model, applied) = model(args, checked);
            let mut text = print::ir(&model);
            if !applied.is_empty() {
                text.push_str("\nrewrites\n");
            }
            for applied in &applied {
                text.push_str(&format!("  {}: {}\n", applied.rewrite.name(), applied.what));
            }
            text
        }
    }
}

fn json(args: &Show, checked: &CheckedModel) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct Optimised {
        #[serde(flatten)]
        ir: print::ir::IrView,
        rewrites: Vec<rewrite::Applied>,
    }
    let text = match args.what {
        What::Params => serde_json::to_string_pretty(&print::params::view(checked)),
        What::Groups => serde_json::to_string_pretty(&print::groups::view(checked)),
        What::Roles => serde_json::to_string_pretty(&print::roles::view(checked)),
        What::Resolved => serde_json::to_string_pretty(&print::resolved::view(checked)),
        What::Ir => {
            let (model, rewrites) = model(args, checked);
            serde_json::to_string_pretty(&Optimised { ir: print::ir::view(&model), rewrites })
        }
        What::Cost => serde_json::to_string_pretty(&print::cost::view(checked)),
        What::Schedule => serde_json::to_string_pretty(&print::schedule::view(checked)),
        What::Graph => bail!("`svc show graph` draws an SVG"),
    };
    Ok(format!("{}\n", text.context("a print is plain data")?))
}
