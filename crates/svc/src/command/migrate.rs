//! `svc migrate`: a run and another spec in; a run of that spec that goes on from there, or why there is none, out.

use crate::generate::{self, Target};
use crate::migration::{self, Old};
use crate::outcome::{Faulty, Outcome};
use crate::read::Origin;
use crate::spec::Spec;
use crate::{run_folder, terminal};
use clap::Args;
use std::path::PathBuf;
use svspec_ir::migrate::{Difference, Known};
use svspec_ir::{CheckedModel, migrate, print};

/// Carry a run over to another spec that computes the same function
///
/// Each tensor of the new spec is made of the run's, so that the model is the same function before it is trained on. Shared
/// scale vectors become branch-specific ones; equal branches become shared ones; vectors change their form, fold into
/// weights where they have no place any more, and are 1 where they are new; tied heads become copies; names of parts,
/// rules, and settings of training are free. The optimizer's memory goes on where the chain rule says what it is, and
/// restarts elsewhere. Where no such map exists, the reasons are given and nothing is written.
///
/// The new run has the old one's step, place in the data and random state; `svc train --resume` goes on with it.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 carried over, 1 no map keeps the function, 2 could not run.\n\n\
    Examples:\n  \
    svc migrate runs/nano-001 --to specs/nano.svspec --variant hg --plan\n  \
    svc migrate runs/nano-001 --to specs/nano.svspec --variant hg\n  \
    svc train --resume runs/hg-001\n\n\
    `svc diff` calls a change function-preserving if there is a map whatever the values are; some runs have one for the \
    values that they have.")]
pub struct Migrate {
    /// The run's folder; it stays as it is
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The spec to carry it over to
    #[arg(long, value_name = "SPEC")]
    to: String,
    /// The model or variant; default: the file's first model
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// The new run's folder; default: the next free runs/TARGET-001
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Say what would become of each tensor, and write nothing
    #[arg(long)]
    plan: bool,
}

/// Finds the map, prints it, and carries the run over.
pub fn run(args: &Migrate) -> anyhow::Result<Outcome> {
    let recorded = run_folder::recorded(&args.run)?;
    let old = recorded.open(&args.run)?.compile(&recorded.target)?;
    let spec = Spec::open(&Origin::Disk, &args.to)?;
    let target = Target { variant: args.variant.clone(), without: recorded.target()?.without };
    let generated = generate::generate(&spec, &target)?;
    if let Some(folder) = &args.out {
        run_folder::require_free(folder)?;
    }
    let files = migration::Files::read(&args.run)?;
    let old = Old::new(&old, &files)?;
    let known = Known::of(old.checked.model(), &old.vectors);
    let plan = migrate::plan(old.checked, &generated.checked, &known)
        .map_err(|difference| refusal(old.checked, &generated.checked, &difference))?;
    let new = generated.checked.model();
    terminal::print(&print::migration::view(old.checked.model(), new, &plan).text())?;
    if args.plan {
        return Ok(Outcome::Fine);
    }
    let carried = migration::carry(&old, &generated.checked, &plan, &spec.whole_text())?;
    let folder = match &args.out {
        Some(folder) => run_folder::create_at(folder).map(|()| folder.clone())?,
        None => run_folder::create(&generated.name)?,
    };
    let origin = migration::Origin { run: &args.run, target: &recorded.target };
    let written = run_folder::record(&folder, &spec, &generated, &target, &recorded.data)
        .and_then(|()| carried.write(&folder, &origin));
    if written.is_err() {
        // Half a run is in the way of the next attempt; the error to report is the first one.
        let _ = std::fs::remove_dir_all(&folder);
    }
    written?;
    terminal::print(&carried.summary(&folder))?;
    Ok(Outcome::Fine)
}

/// The first thing that stands against a map, all that changed, and what would help.
fn refusal(old: &CheckedModel, new: &CheckedModel, difference: &Difference) -> anyhow::Error {
    let (from, to) = (&old.model().name, &new.model().name);
    let mut text = format!(
        "error: no map from the run's `{from}` to `{to}` keeps the function\n  {}\n",
        difference.words("the run", "the new spec")
    );
    let verdict = svspec_ir::diff::diff(old, new).verdict;
    for (index, reason) in verdict.reasons.iter().skip(1).enumerate() {
        let head = if index == 0 { "  what changed:\n" } else { "" };
        text.push_str(&format!("{head}    {reason}\n"));
    }
    text.push_str(&format!("  help: {}\n", difference.help()));
    Faulty(text).into()
}
