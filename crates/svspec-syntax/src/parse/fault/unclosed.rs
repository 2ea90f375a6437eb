//! A block with a brace too few to the brace that was probably forgotten, by its indentation.

use crate::parse::scan::{Mark, marks};
use std::ops::Range;

/// The line, from its first token to its `{`, that the first brace closing at a lesser indentation was not meant for.
pub fn unclosed(block: &str) -> Option<Range<usize>> {
    let mut open: Vec<Line> = Vec::new();
    let mut line = Line { start: 0, first_token: 0 };
    for (mark, range) in marks(block, 0..block.len()) {
        let is_first = block.get(line.start..range.start).is_some_and(|before| before.trim().is_empty());
        if is_first {
            line.first_token = range.start;
        }
        match mark {
            Mark::LineBreak => line = Line { start: range.end, first_token: range.end },
            Mark::Open(b'{') => open.push(line),
            Mark::Close(b'}') => {
                let opener = open.pop()?;
                if is_first && line.indent() < opener.indent() {
                    let end = block.get(opener.first_token..)?.find('{')? + 1;
                    return Some(opener.first_token..opener.first_token + end);
                }
            }
            Mark::Comment | Mark::String | Mark::Open(_) | Mark::Close(_) | Mark::Space | Mark::Other(_) => {}
        }
    }
    None
}

/// Where a line and its first token start.
#[derive(Clone, Copy, Debug)]
struct Line {
    start: usize,
    first_token: usize,
}

impl Line {
    fn indent(self) -> usize {
        self.first_token - self.start
    }
}
