//! `svc report`: the folders of runs in, one self-contained page of curves and tables out.

use crate::outcome::Outcome;
use crate::{report, terminal};
use anyhow::{Context as _, bail};
use clap::Args;
use std::path::{Path, PathBuf};

/// Make one page of curves and tables of one or several runs
///
/// The page is a single HTML file without anything to load: losses, gradient norms, learning rates and speed, the scale
/// vectors by role over time, and a table of how each run ended. Several runs are drawn over one another. A run that is
/// still going, or was stopped, is shown as far as it is.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 written, 2 could not run.\n\n\
    Examples:\n  \
    svc report runs/nano-001\n  \
    svc report runs/nano-001 runs/unified-001 --out compared.html")]
pub struct Report {
    /// Folders of runs
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// The page; default: report.html, in the run's folder if it is one run
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Reads the runs and writes the page.
pub fn run(args: &Report) -> anyhow::Result<Outcome> {
    let out = args.out.clone().unwrap_or_else(|| match args.runs.as_slice() {
        [run] => run.join("report.html"),
        _ => PathBuf::from("report.html"),
    });
    let page = report::page(&args.runs)?;
    require_ours(&out)?;
    std::fs::write(&out, page).with_context(|| format!("cannot write `{}`", out.display()))?;
    terminal::print(&format!("{}\n", out.display()))?;
    Ok(Outcome::Fine)
}

/// An error where `path` is a file that is not an earlier report.
fn require_ours(path: &Path) -> anyhow::Result<()> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Ok(text) if text.starts_with(report::OPENING) => Ok(()),
        Ok(_) | Err(_) => {
            bail!("`{}` is there and is not a report of `svc`: name another file by --out", path.display())
        }
    }
}
