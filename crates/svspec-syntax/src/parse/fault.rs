//! What pest could not read to a diagnostic in the user's words.

use super::expectation::{any_of, words};
use super::grammar::Rule;
use super::outline::BLOCK_WORDS;
use super::scan::word;
use pest::error::{Error, ErrorVariant, InputLocation};
use std::ops::Range;
use svspec_diagnostics::{Diagnostic, SourceId, Span, did_you_mean};

/// The diagnostic for `error`, met in the block `text[range]`.
pub fn syntax_error(source: SourceId, text: &str, range: Range<usize>, error: &Error<Rule>) -> Diagnostic {
    let at = range.start
        + match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
        };
    let found = Found::at(text, at, range.end);
    let expected = expected(error);
    let span = Span::new(source, found.range.start, found.range.end);
    if at == range.start {
        return not_a_block(text, at, span, &found.words);
    }
    let message = match expected.as_slice() {
        [] => format!("{} cannot stand here", found.words),
        _ => format!("expected {}, found {}", any_of(&expected), found.words),
    };
    let label = match expected.as_slice() {
        [only] => format!("expected {only}"),
        _ => "not expected here".to_owned(),
    };
    let mut fault = Diagnostic::error("syntax-error", message).at(span, label);
    if found.kind == FoundKind::End && expected.contains(&"`}`") {
        let head = Span::new(source, range.start, range.start + word(text, range.start).len());
        fault = fault.because(head, "this block is not closed");
    }
    match hint(text, at, range.start, &expected, &found) {
        Some(hint) => fault.help(hint),
        None => fault,
    }
}

fn not_a_block(text: &str, at: usize, span: Span, found: &str) -> Diagnostic {
    let fault = Diagnostic::error("syntax-error", format!("{found} cannot stand outside of a block"))
        .at(span, "expected `import`, `model`, `variant`, `optimizer` or `train`");
    match did_you_mean(word(text, at), BLOCK_WORDS) {
        Some(meant) => fault.help(format!("did you mean `{meant}`?")),
        None => fault,
    }
}

/// What may stand at the place of `error`, each thing once, in the grammar's order.
fn expected(error: &Error<Rule>) -> Vec<&'static str> {
    let mut expected = Vec::new();
    if let ErrorVariant::ParsingError { positives, negatives: _ } = &error.variant {
        for words in positives.iter().filter_map(|&rule| words(rule)) {
            if !expected.contains(&words) {
                expected.push(words);
            }
        }
    }
    // A line break may stand wherever a comma ends a statement, and a closing brace wherever a line break may.
    if expected.contains(&"the end of the line") {
        expected.retain(|words| *words != "`,`");
    }
    expected
}

/// What stands at a place.
#[derive(Debug)]
struct Found {
    kind: FoundKind,
    words: String,
    range: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FoundKind {
    Token,
    LineBreak,
    End,
}

impl Found {
    fn at(text: &str, at: usize, end: usize) -> Self {
        let rest = text.get(at..end).unwrap_or("");
        let Some(first) = rest.chars().next() else {
            let words =
                if end == text.trim_end().len() { "the end of the file" } else { "the end of the block" };
            let last = text.get(..at).and_then(|before| before.chars().next_back()).map_or(0, char::len_utf8);
            return Self { kind: FoundKind::End, words: words.to_owned(), range: at - last..at };
        };
        if first == '\n' {
            return Self {
                kind: FoundKind::LineBreak,
                words: "the end of the line".to_owned(),
                range: at..at,
            };
        }
        let token = match first {
            '"' => rest.get(
                ..rest.get(1..).and_then(|tail| tail.find(['"', '\n'])).map_or(rest.len(), |len| len + 1),
            ),
            '=' | '!' | '<' | '>' if rest.get(1..2) == Some("=") => rest.get(..2),
            _ if word(rest, 0).is_empty() => rest.get(..first.len_utf8()),
            _ => Some(word(rest, 0)),
        };
        let token = token.unwrap_or("");
        let words = match first {
            '`' => "a back-tick".to_owned(),
            '"' => "a text in double quotes".to_owned(),
            _ if first.is_control() || first == '\u{feff}' => {
                format!("the character {}", first.escape_unicode())
            }
            _ => format!("`{token}`"),
        };
        Self { kind: FoundKind::Token, words, range: at..at + token.len() }
    }
}

/// What to write instead, for the slips that are common.
fn hint(text: &str, at: usize, block: usize, expected: &[&str], found: &Found) -> Option<String> {
    let before = text.get(block..at)?;
    let statement = before.rsplit(['\n', '{', ',']).next().unwrap_or("").trim();
    let found_text = text.get(found.range.clone())?;
    if expected == ["`on`"] || expected.contains(&"`on`") && found.kind != FoundKind::Token {
        let (name, value) = statement.split_once(' ')?;
        return Some(format!(
            "a setting is written `{name} = {}`, a rule `{statement} on weight`",
            value.trim()
        ));
    }
    match found_text {
        "==" if expected.contains(&"`=`") => Some("a setting is written with one `=`".to_owned()),
        "=" if expected.contains(&"a comparison such as `==`") => {
            Some("a condition compares with two: `==`".to_owned())
        }
        ":" if !statement.is_empty() && !expected.contains(&"`:`") => Some(
            "settings are written with `=`; `:` is for placements, such as `attn.q : out scale`".to_owned(),
        ),
        ";" => Some("a statement ends with its line, or with `,`".to_owned()),
        "#" => Some("a comment starts with `//`".to_owned()),
        "." if expected.contains(&"a value") => Some("a number starts with a digit: `0.5`".to_owned()),
        "*" if statement.ends_with('*') => Some("a power is written `^`".to_owned()),
        "'" if expected.contains(&"a value") => Some("a text stands in double quotes".to_owned()),
        number if number.starts_with(|c: char| c.is_ascii_digit()) && expected.contains(&"a value") => {
            Some("numbers are written `50_304`, `1e-5`, `2.5B`, `0.5M`, `3K`".to_owned())
        }
        _ => None,
    }
}
