//! What the user reads: results on standard output, progress and errors on standard error, colours on terminals only.

use anyhow::Context as _;
use std::io::{IsTerminal as _, Write as _};
use svspec_diagnostics::Color;

/// A stream of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Results.
    Output,
    /// Progress and errors.
    Error,
}

/// Whether `stream` takes colours: it is a terminal, and the user has not set `NO_COLOR` (<https://no-color.org>).
pub fn color(stream: Stream) -> Color {
    let is_terminal = match stream {
        Stream::Output => std::io::stdout().is_terminal(),
        Stream::Error => std::io::stderr().is_terminal(),
    };
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if is_terminal && !refused { Color::Ansi } else { Color::Plain }
}

/// Writes a result. A reader that has closed the pipe (`svc show … | head`) is not an error.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// Writes a line of progress or explanation. A closed standard error is nobody's loss.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// "1 file", "2 files".
pub fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("{count} {noun}") } else { format!("{count} {noun}s") }
}

/// Colours the lines of a unified diff.
pub fn paint_diff(diff: &str, color: Color) -> String {
    match color {
        Color::Plain => diff.to_owned(),
        Color::Ansi => diff.split_inclusive('\n').map(paint_line).collect(),
    }
}

fn paint_line(line: &str) -> String {
    let code = match line.as_bytes().first() {
        Some(b'+') => "32",
        Some(b'-') => "31",
        Some(b'@') => "36",
        _ => return line.to_owned(),
    };
    let text = line.trim_end_matches('\n');
    format!("\u{1b}[{code}m{text}\u{1b}[0m{}", line.get(text.len()..).unwrap_or(""))
}

/// The diff of two texts as `diff -u` writes it; empty if they are the same.
pub fn unified_diff(old_name: &str, old: &str, new_name: &str, new: &str) -> String {
    similar::TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(old_name, new_name)
        .to_string()
}
