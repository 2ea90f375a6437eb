//! `svc diff`: two specs, or a spec and a git revision, in; what changed in meaning, and in the generated code, out.

use crate::comparison::{self, Comparison};
use crate::generate::Target;
use crate::outcome::Outcome;
use crate::read::Origin;
use crate::spec::{Reference, Spec};
use crate::terminal;
use anyhow::bail;
use clap::{Args, ValueEnum};
use serde::Serialize;

/// Show a change of architecture as a change of meaning
///
/// Compares what two specs mean, not how they are written: placement, scale vectors with their roles, groups and
/// decay, init, training, parameters, FLOPs, memory, and then the generated code. Each change is classed as
/// function-preserving, checkpoint-compatible or breaking, and says why.
///
/// FILE stands for the file's first model; FILE:TARGET names another, or one of its variants. With --base, every
/// target of each file is compared with what the revision has, imports included.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 they mean the same, 1 they differ, 2 could not run.\n\n\
    Examples:\n  \
    svc diff specs/nano.svspec specs/nano.svspec:unified\n  \
    svc diff old.svspec new.svspec --variant unified     # the same target of both\n  \
    svc diff --base main specs/*.svspec                  # what a branch changes\n  \
    svc diff --base HEAD --format markdown my.svspec     # for a pull request")]
pub struct Diff {
    /// The old and the new spec; with --base: the specs to compare with their older selves
    #[arg(required = true, value_name = "FILE[:TARGET]")]
    files: Vec<String>,
    /// Compare with this git revision
    #[arg(long, value_name = "GITREV")]
    base: Option<String>,
    #[command(flatten)]
    target: Target,
    /// How to print the difference
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// For a review comment
    Markdown,
    /// For programs; carries `format_version`
    Json,
}

/// Compares and prints.
pub fn run(args: &Diff) -> anyhow::Result<Outcome> {
    let comparisons = match (&args.base, args.files.as_slice()) {
        (Some(revision), files) => against(args, revision, files)?,
        (None, [old, new]) => vec![between(args, old, new)?],
        (None, files) => bail!(
            "name two specs to compare, not {}; or a git revision with --base, and any number of specs",
            files.len()
        ),
    };
    let text = match args.format {
        Format::Text => comparisons.iter().map(|comparison| comparison.text(color())).collect(),
        Format::Markdown => comparisons.iter().map(Comparison::markdown).collect(),
        Format::Json => json(&comparisons)?,
    };
    terminal::print(&text)?;
    let is_same = comparisons.iter().all(Comparison::is_same);
    Ok(if is_same { Outcome::Fine } else { Outcome::Findings })
}

fn color() -> svspec_diagnostics::Color {
    terminal::color(terminal::Stream::Output)
}

fn between(args: &Diff, old: &str, new: &str) -> anyhow::Result<Comparison> {
    let open = |name: &str| -> anyhow::Result<(Spec, String)> {
        let (path, target) = resolve(args, name);
        let spec = Spec::open(&Origin::Disk, &path)?;
        let target = spec.target(target.as_deref())?;
        Ok((spec, target))
    };
    let ((old, old_target), (new, new_target)) = (open(old)?, open(new)?);
    comparison::compare((&old, &old_target), (&new, &new_target), &args.target)
}

fn against(args: &Diff, revision: &str, files: &[String]) -> anyhow::Result<Vec<Comparison>> {
    if revision.is_empty() {
        bail!("--base names no revision: write one, such as HEAD or main");
    }
    let base = Origin::Revision(revision.to_owned());
    let mut comparisons = Vec::new();
    for file in files {
        let (path, target) = resolve(args, file);
        if !std::path::Path::new(&path).exists() && base.holds(&path)? {
            let old = Spec::open(&base, &path)?;
            comparisons.extend(comparison::all_gone(&old, &path, target.as_deref())?);
            continue;
        }
        let new = Spec::open(&Origin::Disk, &path)?;
        if base.lacks(&path)? {
            comparisons.extend(comparison::all_new(&base.shown(&path), &new, target.as_deref())?);
            continue;
        }
        let old = Spec::open(&base, &path)?;
        match target {
            Some(target) => {
                let both = comparison::compare((&old, &target), (&new, &target), &args.target)?;
                comparisons.push(both);
            }
            None => comparisons.extend(comparison::compare_all(&old, &new, &args.target)?),
        }
    }
    Ok(comparisons)
}

/// A file that is there under its whole name holds no target in it, colon or not.
fn resolve(args: &Diff, name: &str) -> (String, Option<String>) {
    let Reference { path, target } = if std::path::Path::new(name).exists() {
        Reference { path: name.to_owned(), target: None }
    } else {
        name.into()
    };
    (path, target.or_else(|| args.target.variant.clone()))
}

fn json(comparisons: &[Comparison]) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct Report<'a> {
        format_version: u32,
        comparisons: &'a [Comparison],
    }
    Ok(format!("{}\n", serde_json::to_string_pretty(&Report { format_version: 1, comparisons })?))
}
