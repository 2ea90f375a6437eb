//! `svc build`: a spec in, its training crate out.

use crate::generate::{self, Target};
use crate::manifest::Consent;
use crate::outcome::Outcome;
use crate::read::Origin;
use crate::spec::Spec;
use crate::terminal;
use clap::Args;
use std::path::{Path, PathBuf};

/// Generate the training crate of a spec
///
/// Writes a Rust crate that trains exactly this architecture on LibTorch: the model, its parameter groups with the
/// rule that made each, and the runtime. It builds where it lies with plain `cargo` and needs nothing else of svspec.
///
/// The same spec gives the same bytes on every machine. Unchanged files are not rewritten. A file that you have
/// edited is never overwritten unless you say --force, and one that is not svc's neither.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 written, or nothing drifted; 1 faults in the spec, or --check found drift; \
    2 could not run.\n\n\
    Examples:\n  \
    svc build specs/nano.svspec                              # to build/nano\n  \
    svc build specs/nano.svspec --variant unified            # to build/unified\n  \
    svc build --check specs/nano.svspec --out trainers/nano  # in CI, for a crate that is committed"
)]
pub struct Build {
    /// The spec file
    file: String,
    #[command(flatten)]
    target: Target,
    /// The crate's folder; default: build/TARGET
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write nothing; say which files differ from what would be generated
    #[arg(long)]
    check: bool,
    /// Overwrite files that were edited by hand or that svc did not write
    #[arg(long, conflicts_with = "check")]
    force: bool,
}

/// Generates, then compares or writes.
pub fn run(args: &Build) -> anyhow::Result<Outcome> {
    let spec = Spec::open(&Origin::Disk, &args.file)?;
    let generated = generate::generate(&spec, &args.target)?;
    let folder = args.out.clone().unwrap_or_else(|| generated.default_folder());
    let plan = generated.plan(&folder)?;
    if args.check {
        for (path, drift) in &plan.drift {
            terminal::print(&format!("{}: {drift}\n", folder.join(path).display()))?;
        }
        return Ok(if plan.is_clean() { Outcome::Fine } else { Outcome::Findings });
    }
    let consent = if args.force { Consent::Given } else { Consent::Ask };
    let num_written = plan.apply(consent)?;
    let num_files = generated.files.len();
    terminal::print(&summary(&generated.name, &folder, num_files, num_written))?;
    Ok(Outcome::Fine)
}

fn summary(name: &str, folder: &Path, num_files: usize, num_written: usize) -> String {
    let folder = folder.display();
    match num_written {
        0 => format!("{name}: {folder} is up to date ({num_files} files)\n"),
        written if written == num_files => format!("{name}: wrote {folder} ({num_files} files)\n"),
        written => {
            format!("{name}: wrote {written} of {num_files} files in {folder}, the rest is unchanged\n")
        }
    }
}
