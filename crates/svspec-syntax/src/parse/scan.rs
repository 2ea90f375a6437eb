//! A text to its marks: comments, strings, brackets and line breaks, and the bytes between them. This much of the
//! language needs no grammar, and no text is too broken for it.

use std::ops::Range;

/// A byte or a run of bytes that matters before the grammar is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// `//` and what follows, up to but not including the line break.
    Comment,
    /// `"…"`, or `"` up to the end of the line if it is not closed.
    String,
    /// `{` or `(`.
    Open(u8),
    /// `}` or `)`.
    Close(u8),
    /// A line feed.
    LineBreak,
    /// A space, a tab or a carriage return.
    Space,
    /// Any other byte.
    Other(u8),
}

/// The marks of `text[range]`, each with the bytes of `text` that it covers.
pub fn marks(text: &str, range: Range<usize>) -> impl Iterator<Item = (Mark, Range<usize>)> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        let rest = text.as_bytes().get(at..range.end)?;
        let start = at;
        let (mark, len) = match rest {
            [] => return None,
            [b'/', b'/', ..] => (Mark::Comment, len_until(rest, |byte| byte == b'\n')),
            [b'"', tail @ ..] => {
                let inner = len_until(tail, |byte| byte == b'"' || byte == b'\n');
                (Mark::String, 1 + inner + usize::from(tail.get(inner) == Some(&b'"')))
            }
            [byte @ (b'{' | b'('), ..] => (Mark::Open(*byte), 1),
            [byte @ (b'}' | b')'), ..] => (Mark::Close(*byte), 1),
            [b'\n', ..] => (Mark::LineBreak, 1),
            [b' ' | b'\t' | b'\r', ..] => (Mark::Space, 1),
            [byte, ..] => (Mark::Other(*byte), 1),
        };
        at += len;
        Some((mark, start..at))
    })
}

fn len_until(bytes: &[u8], stop: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|&byte| stop(byte)).unwrap_or(bytes.len())
}

/// The word that starts at byte `at`, empty if none does.
pub fn word(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or("");
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    rest.get(..end).unwrap_or("")
}

/// Where the last thing before `at` ends that is neither space, line break nor comment.
pub fn last_token_end(text: &str, at: usize) -> usize {
    marks(text, 0..at)
        .filter(|(mark, _)| !matches!(mark, Mark::Space | Mark::LineBreak | Mark::Comment))
        .last()
        .map_or(0, |(_, range)| range.end)
}

/// How far `text[range]` lifts the depth of braces, and the least depth on the way.
pub fn brace_balance(text: &str, range: Range<usize>) -> (isize, isize) {
    let (mut depth, mut least) = (0, 0);
    for (mark, _) in marks(text, range) {
        match mark {
            Mark::Open(b'{') => depth += 1,
            Mark::Close(b'}') => depth -= 1,
            Mark::Comment
            | Mark::String
            | Mark::Open(_)
            | Mark::Close(_)
            | Mark::LineBreak
            | Mark::Space
            | Mark::Other(_) => {}
        }
        least = least.min(depth);
    }
    (depth, least)
}
