//! A place in a text to what stands there.

use crate::parse::scan::word;
use std::ops::Range;

/// What stands at a place.
#[derive(Debug)]
pub struct Found {
    /// What kind of thing.
    pub kind: FoundKind,
    /// As a message says it.
    pub words: String,
    /// The bytes of the block that it covers.
    pub range: Range<usize>,
}

/// The kinds of thing that may be found where something else was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundKind {
    /// A word, a number or a sign.
    Token,
    /// A character that has no meaning outside of comments and texts.
    Foreign(char),
    /// The end of a line.
    LineBreak,
    /// The end of the block, or of the file where the block is not closed.
    End,
}

impl Found {
    /// What stands at byte `at` of `block`.
    pub fn at(block: &str, at: usize) -> Self {
        let rest = block.get(at..).unwrap_or("");
        let Some(first) = rest.chars().next() else {
            let last = block.chars().next_back().map_or(0, char::len_utf8);
            return Self {
                kind: FoundKind::End,
                words: "the end of the block".to_owned(),
                range: at - last..at,
            };
        };
        let line_end = rest.split('\n').next().unwrap_or("");
        if line_end.trim().is_empty() || line_end.trim_start().starts_with("//") {
            return Self {
                kind: FoundKind::LineBreak,
                words: "the end of the line".to_owned(),
                range: at..at,
            };
        }
        let len = match first {
            '"' => rest.get(1..).and_then(|tail| tail.find(['"', '\n'])).map_or(rest.len(), |len| match rest
                .get(len + 1..len + 2)
            {
                Some("\"") => len + 2,
                Some(_) | None => len + 1,
            }),
            '=' | '!' | '<' | '>' if rest.get(1..2) == Some("=") => 2,
            _ => word(rest, 0).len().max(first.len_utf8()),
        };
        let token = rest.get(..len).unwrap_or(line_end);
        let (kind, words) = match first {
            '`' => (FoundKind::Token, "a back-tick".to_owned()),
            '"' if !token.ends_with('"') || token.len() == 1 => {
                (FoundKind::Token, "a text that is not closed".to_owned())
            }
            '"' => (FoundKind::Token, "a text in double quotes".to_owned()),
            _ if first.is_ascii() && !first.is_control() => (FoundKind::Token, format!("`{token}`")),
            _ if first.is_alphabetic() => (FoundKind::Foreign(first), format!("`{first}`")),
            _ => (FoundKind::Foreign(first), format!("the character U+{:04X}", u32::from(first))),
        };
        Self { kind, words, range: at..at + token.len() }
    }
}
