//! `svc fmt`: spec files in, the same specs in the one canonical layout out.

use crate::outcome::Outcome;
use crate::read::Origin;
use crate::terminal::{self, Stream};
use anyhow::Context as _;
use clap::Args;
use std::path::Path;
use svspec_diagnostics::{Severity, Sources};

/// Format specs in place
///
/// There is one layout and no options to it. Comments, documentation comments and single blank lines are kept; the
/// meaning never changes. A file with syntax errors is left as it is.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 formatted (with --check or --diff: already so), 1 it was not, or there are \
    syntax errors, 2 could not run.\n\n\
    Examples:\n  \
    svc fmt specs/*.svspec\n  \
    svc fmt --check specs/*.svspec   # in CI\n  \
    svc fmt --diff my_model.svspec\n  \
    svc fmt - < my_model.svspec      # from an editor"
)]
pub struct Fmt {
    /// The spec files; `-` is standard input, formatted to standard output
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Write nothing; name the files that are not formatted
    #[arg(long)]
    check: bool,
    /// Write nothing; show what would change
    #[arg(long, conflicts_with = "check")]
    diff: bool,
}

/// What to do with the formatted text.
#[derive(Clone, Copy)]
enum Mode {
    Write,
    Check,
    Diff,
}

/// Formats every file; one with syntax errors does not keep the others from it.
pub fn run(args: &Fmt) -> anyhow::Result<Outcome> {
    let mode = match (args.check, args.diff) {
        (true, _) => Mode::Check,
        (false, true) => Mode::Diff,
        (false, false) => Mode::Write,
    };
    let mut outcome = Outcome::Fine;
    for path in &args.files {
        outcome = outcome.and(format_file(path, mode)?);
    }
    Ok(outcome)
}

fn format_file(path: &str, mode: Mode) -> anyhow::Result<Outcome> {
    let text = Origin::Disk.read(path)?;
    let mut sources = Sources::new();
    let shown = Origin::Disk.shown(path);
    let source = sources.add(shown.as_str(), text.as_str());
    let (file, findings) = svspec_syntax::parse(source, &text);
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        let color = terminal::color(Stream::Error);
        terminal::note(svspec_diagnostics::render_text(&findings, &sources, color).trim_end());
        return Ok(Outcome::Findings);
    }
    let formatted = svspec_syntax::format(&file);
    let is_same = formatted == text;
    match mode {
        Mode::Write if path == "-" => {
            terminal::print(&formatted)?;
            return Ok(Outcome::Fine);
        }
        Mode::Write => {
            if !is_same {
                replace(Path::new(path), &formatted)?;
                terminal::note(&format!("formatted {path}"));
            }
            return Ok(Outcome::Fine);
        }
        Mode::Check if !is_same => terminal::print(&format!("{shown} is not formatted\n"))?,
        Mode::Diff if !is_same => {
            let diff = terminal::unified_diff(&shown, &text, &format!("{shown} (formatted)"), &formatted);
            terminal::print(&terminal::paint_diff(&diff, terminal::color(Stream::Output)))?;
        }
        Mode::Check | Mode::Diff => {}
    }
    Ok(if is_same { Outcome::Fine } else { Outcome::Findings })
}

/// Replaces a file in one step, so that a full disk cannot leave half of it. Follows a symbolic link; keeps the mode.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        let target = std::fs::canonicalize(path)?;
        let folder = target.parent().unwrap_or(Path::new("/"));
        let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut temporary, text.as_bytes())?;
        temporary.as_file().set_permissions(std::fs::metadata(&target)?.permissions())?;
        temporary.persist(&target)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write `{}`", path.display()))
}
