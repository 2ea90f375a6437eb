//! `svc doctor`: this machine in; what is there, what is missing and what to do out.

mod probe;

use crate::home::Home;
use crate::outcome::Outcome;
use crate::{libtorch, terminal};
use clap::{Args, ValueEnum};
use probe::{Finding, State};
use serde::Serialize;

/// Say what training needs, what is there, and what to do about the rest
///
/// Checks cargo and rustc, the C++ compiler, Python with pip, LibTorch, CUDA, and the free space on the disk. Checking
/// and formatting specs, and generating crates, need none of them.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 all is there, 1 something that training needs is missing, 2 could not run.\n\n\
    Examples:\n  \
    svc doctor\n  \
    svc doctor --fetch         # fetch LibTorch now rather than at the first training\n  \
    svc doctor --format json   # for a bug report"
)]
pub struct Doctor {
    /// Fetch LibTorch if there is none
    #[arg(long)]
    fetch: bool,
    /// How to print the findings
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

#[derive(Serialize)]
struct Report<'a> {
    format_version: u32,
    version: &'static str,
    findings: &'a [Finding],
}

/// Probes, prints, and fetches if asked.
pub fn run(args: &Doctor) -> anyhow::Result<Outcome> {
    let home = Home::find()?;
    if args.fetch {
        libtorch::ensure(&home)?;
    }
    let findings = probe::probe(&home);
    match args.format {
        Format::Text => terminal::print(&text(&findings))?,
        Format::Json => {
            let report =
                Report { format_version: 1, version: env!("CARGO_PKG_VERSION"), findings: &findings };
            terminal::print(&format!("{}\n", serde_json::to_string_pretty(&report)?))?;
        }
    }
    let is_missing = findings.iter().any(|finding| finding.state == State::Missing);
    Ok(if is_missing { Outcome::Findings } else { Outcome::Fine })
}

fn text(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.what.len()).max().unwrap_or(0);
    let mut text = String::new();
    for Finding { what, state, found, remedy } in findings {
        text.push_str(&format!("{:7}  {what:width$}  {found}\n", state.word()));
        if let Some(remedy) = remedy {
            text.push_str(&format!("{:7}  {:width$}  -> {remedy}\n", "", ""));
        }
    }
    text
}
