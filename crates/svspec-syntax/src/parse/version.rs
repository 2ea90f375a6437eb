//! The first block of a file to the version of the language that it states.

use super::fault;
use super::grammar::{Grammar, Rule};
use super::scan::word;
use pest::Parser;
use std::ops::Range;
use svspec_diagnostics::{Diagnostic, SourceId, Span};

/// The version of the language that this compiler reads.
const VERSION: u64 = 1;

/// The version line.
#[derive(Clone, Debug)]
pub struct VersionLine {
    /// The number and where it stands; `None` if there is none.
    pub number: Option<(u64, Span)>,
    /// Where the line stands.
    pub range: Range<usize>,
}

/// Splits `blocks` into the version line and the rest; a fault of the line is added to `faults`.
pub fn split(
    source: SourceId,
    text: &str,
    blocks: &[Range<usize>],
    faults: &mut Vec<Diagnostic>,
) -> (Option<VersionLine>, Vec<Range<usize>>) {
    match blocks {
        [] => {
            let fault = missing("the file is empty").at(Span::new(source, 0, 0), "");
            faults.push(fault.help("a spec starts with the line `svspec 1`"));
            (None, Vec::new())
        }
        [first, rest @ ..] if word(text, first.start) == "svspec" => {
            let number = number(source, text, first.clone(), faults);
            (Some(VersionLine { number, range: first.clone() }), rest.to_vec())
        }
        [first, ..] => {
            let line = text.get(first.clone()).and_then(|block| block.lines().next()).unwrap_or("");
            let place = Span::new(source, first.start, first.start + line.len());
            faults.push(
                missing("the file does not state the version of its language")
                    .at(place, "expected `svspec 1` before this")
                    .help("write `svspec 1` as the first line"),
            );
            (None, blocks.to_vec())
        }
    }
}

fn missing(message: &str) -> Diagnostic {
    Diagnostic::error("missing-version", message)
}

fn number(
    source: SourceId,
    text: &str,
    range: Range<usize>,
    faults: &mut Vec<Diagnostic>,
) -> Option<(u64, Span)> {
    let line = text.get(range.clone()).unwrap_or("");
    let pairs = match Grammar::parse(Rule::version_line, line) {
        Ok(pairs) => pairs,
        Err(error) => {
            let (fault, _) = fault::syntax_error(source, text, range, &error);
            faults.push(fault.help("write `svspec 1`"));
            return None;
        }
    };
    let written = pairs.flatten().find(|pair| pair.as_rule() == Rule::version)?.as_span();
    let span = Span::new(source, range.start + written.start(), range.start + written.end());
    match written.as_str().parse() {
        Ok(VERSION) => Some((VERSION, span)),
        Ok(other) => {
            faults.push(unsupported(written.as_str(), span));
            Some((other, span))
        }
        Err(_) => {
            faults.push(unsupported(written.as_str(), span));
            None
        }
    }
}

fn unsupported(version: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "unsupported-version",
        format!("svspec {version} is not a version that this compiler reads"),
    )
    .at(span, format!("the version it reads is {VERSION}"))
    .help(format!("write `svspec {VERSION}`, or use a newer compiler"))
}
