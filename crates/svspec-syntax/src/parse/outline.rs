//! A text to the ranges of its top-level blocks, by brackets and first words alone.

use super::scan::{Mark, marks, word};
use std::ops::Range;

/// The words that start a top-level block.
pub const BLOCK_WORDS: [&str; 6] = ["import", "part", "model", "variant", "optimizer", "train"];

/// The range of each top-level block, the version line being one, in order. Whatever stands outside of blocks and
/// is neither space nor comment is a block too, up to the end of its line: one that the grammar will refuse.
pub fn outline(text: &str) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    // A byte order mark is no text.
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    while let Some(start) = next_token(text, at) {
        let end = block_end(text, start);
        blocks.push(start..end);
        at = end;
    }
    blocks
}

/// Whether a block is none: a line outside of blocks that does not even open one.
pub fn is_stray(text: &str, range: &Range<usize>) -> bool {
    let block = text.get(range.clone()).unwrap_or("");
    !BLOCK_WORDS.contains(&word(block, 0)) && !block.contains('{')
}

/// Where the first thing from `at` on stands that is neither space, line break nor comment.
fn next_token(text: &str, at: usize) -> Option<usize> {
    marks(text, at..text.len())
        .find(|(mark, _)| !matches!(mark, Mark::Space | Mark::LineBreak | Mark::Comment))
        .map(|(_, range)| range.start)
}

/// Where the block that starts at `start` ends: after the brace that closes its first one, or at the end of the line
/// if it has none. If the brace is missing, where the next line starts with a word that starts a block.
fn block_end(text: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    let mut next_block = None;
    let mut last_token_end = start;
    let mut goes_on_at = start;
    for (mark, range) in marks(text, start..text.len()) {
        match mark {
            Mark::Open(b'{') => depth += 1,
            Mark::Close(b'}') if depth <= 1 => return range.end,
            Mark::Close(b'}') => depth -= 1,
            Mark::LineBreak if depth == 0 && goes_on_at < range.end => {
                match continuation(text, start, last_token_end, range.end) {
                    Some(at) => goes_on_at = at,
                    None => return last_token_end,
                }
            }
            Mark::LineBreak if next_block.is_none() && starts_block(text, range.end) => {
                next_block = Some(last_token_end);
            }
            Mark::Comment
            | Mark::String
            | Mark::Open(_)
            | Mark::Close(_)
            | Mark::LineBreak
            | Mark::Space
            | Mark::Other(_) => {}
        }
        if !matches!(mark, Mark::Space | Mark::LineBreak | Mark::Comment) {
            last_token_end = range.end;
        }
    }
    next_block.unwrap_or(last_token_end)
}

/// Where the head of the block at `start`, broken after `end`, goes on at or below the line at `line`: with its brace, or
/// with the rest of a list.
fn continuation(text: &str, start: usize, end: usize, line: usize) -> Option<usize> {
    let after_comma = text.get(..end).is_some_and(|head| head.ends_with(','));
    let next = next_token(text, line).filter(|_| BLOCK_WORDS.contains(&word(text, start)))?;
    (after_comma || text.as_bytes().get(next) == Some(&b'{')).then_some(next)
}

fn starts_block(text: &str, line: usize) -> bool {
    BLOCK_WORDS.contains(&word(text, line))
}
