//! What pest could not read to a diagnostic in the user's words.

mod found;
mod hint;
mod unclosed;

use super::expectation::{LINE_END, any_of, expected};
use super::grammar::Rule;
use super::outline::BLOCK_WORDS;
use super::scan::{brace_balance, last_token_end, word};
use found::{Found, FoundKind};
use pest::error::{Error, InputLocation};
use std::ops::Range;
use svspec_diagnostics::{Diagnostic, SourceId, Span, did_you_mean};

/// The diagnostic for `error`, met in the block `text[range]`, and the byte of the block that it points at.
pub fn syntax_error(
    source: SourceId,
    text: &str,
    range: Range<usize>,
    error: &Error<Rule>,
) -> (Diagnostic, usize) {
    let block = text.get(range.clone()).unwrap_or("");
    let expected = expected(error);
    let at = place(block, error, &expected);
    let found = Found::at(block, at);
    let span = Span::new(source, range.start + found.range.start, range.start + found.range.end);
    if at == 0 && !word(block, 0).starts_with("svspec") {
        return (not_a_block(word(block, 0), span, &found.words), at);
    }
    if found.kind == FoundKind::End && brace_balance(block, 0..block.len()).0 > 0 {
        return (not_closed(source, range.start, block, span), at);
    }
    if let Some(name) = hint::setting_without_equals(block, &expected, at) {
        let fault = Diagnostic::error("syntax-error", format!("expected `=` between `{name}` and its value"))
            .at(span, "this is no whole statement");
        return (fault.help("a setting is written `width = 128`, a rule `decay 0.1 on weight`"), at);
    }
    let message = match (expected.as_slice(), found.kind) {
        ([], _) | (_, FoundKind::Foreign(_)) => format!("{} cannot stand here", found.words),
        (_, FoundKind::Token | FoundKind::LineBreak | FoundKind::End) => {
            format!("expected {}, found {}", any_of(&expected), found.words)
        }
    };
    let label = match (expected.as_slice(), found.kind) {
        ([only], FoundKind::Token | FoundKind::LineBreak | FoundKind::End) => format!("expected {only}"),
        (_, _) => "not expected here".to_owned(),
    };
    let fault = Diagnostic::error("syntax-error", message).at(span, label);
    match hint::hint(block, &expected, &found) {
        Some(hint) => (fault.help(hint), at),
        None => (fault, at),
    }
}

/// Where the error is for the user: at the end of a line that breaks off, not at what follows below.
fn place(block: &str, error: &Error<Rule>, expected: &[&str]) -> usize {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let line_may_end = expected.contains(&LINE_END) || expected.contains(&"a statement");
    let last = last_token_end(block, at);
    let crosses = block.get(last..at).is_some_and(|between| between.contains('\n'));
    if crosses && !line_may_end && at < block.len() { last } else { at }
}

fn not_closed(source: SourceId, start: usize, block: &str, end: Span) -> Diagnostic {
    let head = word(block, 0);
    let fault = Diagnostic::error("syntax-error", format!("the `{head}` block is not closed"))
        .at(end, "expected `}` after this")
        .because(Span::new(source, start, start + head.len()), "the block starts here");
    match unclosed::unclosed(block) {
        Some(line) => {
            let place = Span::new(source, start + line.start, start + line.end);
            fault.because(place, "by its indentation, this brace is not closed")
        }
        None => fault,
    }
}

fn not_a_block(first: &str, span: Span, found: &str) -> Diagnostic {
    let fault = Diagnostic::error("syntax-error", format!("{found} cannot stand outside of a block"))
        .at(span, "expected `import`, `model`, `variant`, `optimizer` or `train`");
    match did_you_mean(first, BLOCK_WORDS) {
        Some(meant) => fault.help(format!("did you mean `{meant}`?")),
        None => fault,
    }
}
