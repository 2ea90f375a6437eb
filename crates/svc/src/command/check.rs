//! `svc check`: spec files in, all their faults out.

use crate::outcome::Outcome;
use crate::read::Origin;
use crate::terminal::{self, Stream};
use clap::{Args, ValueEnum};
use svspec_diagnostics::{Diagnostic, Severity, Sources};

/// Report all faults of specs
///
/// Every target of each file is checked: its models and its variants, with the rules of its optimizer. Nothing is
/// written. Each finding has a name that `svc explain NAME` takes. A lint that is wrong about a line is silenced by a
/// comment above it: `// svc: allow NAME: reason`.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 nothing found, 1 errors or warnings found, 2 could not run.\n\n\
    Examples:\n  \
    svc check specs/*.svspec\n  \
    svc check --format json my_model.svspec   # for an editor or a script\n  \
    generate_spec | svc check -               # from standard input")]
pub struct Check {
    /// The spec files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
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

/// Checks every file, reading on after one that cannot be read.
pub fn run(args: &Check) -> anyhow::Result<Outcome> {
    let mut sources = Sources::new();
    let mut findings = Vec::new();
    let mut unreadable = Vec::new();
    for path in &args.files {
        match Origin::Disk.read(path) {
            Ok(text) => findings.extend(check(path, &text, &mut sources)),
            Err(error) => unreadable.push(error),
        }
    }
    match args.format {
        Format::Text if unreadable.len() == args.files.len() => {}
        Format::Text => terminal::print(&report(&findings, &sources, args.files.len() - unreadable.len()))?,
        Format::Json => terminal::print(&svspec_diagnostics::render_json(&findings, &sources))?,
    }
    if let Some(last) = unreadable.pop() {
        for error in unreadable {
            terminal::note(&format!("error: {error:#}"));
        }
        return Err(last);
    }
    Ok(if findings.is_empty() { Outcome::Fine } else { Outcome::Findings })
}

/// Every finding of the spec called `path`, in the order of its text.
pub fn check(path: &str, text: &str, sources: &mut Sources) -> Vec<Diagnostic> {
    let mut origin = Origin::Disk;
    let entry = sources.add(origin.shown(path), text);
    let (program, mut findings) = svspec_ir::load::load(sources, entry, &mut origin);
    if findings.iter().all(|finding| finding.severity != Severity::Error) {
        findings.extend(svspec_ir::check::check(&program, sources));
    }
    findings
}

fn report(findings: &[Diagnostic], sources: &Sources, num_files: usize) -> String {
    let mut text = svspec_diagnostics::render_text(findings, sources, terminal::color(Stream::Output));
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count() as u64;
    let files = terminal::counted(num_files as u64, "file");
    match (count(Severity::Error), count(Severity::Warning)) {
        (0, 0) => text.push_str(&format!("{files} checked, nothing found\n")),
        (errors, warnings) => text.push_str(&format!(
            "{files} checked: {}, {}\n",
            terminal::counted(errors, "error"),
            terminal::counted(warnings, "warning")
        )),
    }
    text
}
