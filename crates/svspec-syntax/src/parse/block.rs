//! One top-level block to its item, without the statements in it that cannot be read.

use super::comments::Comments;
use super::grammar::{Grammar, Rule};
use super::scan::brace_balance;
use super::token::Place;
use super::{fault, item};
use crate::ast::Item;
use pest::Parser;
use std::ops::Range;
use svspec_diagnostics::{Diagnostic, SourceId};

/// After this many statements that cannot be read, the rest of the block is left out.
const MAX_ATTEMPTS: usize = 16;

/// The item that `text[range]` states, if its head can be read.
pub fn parse(
    source: SourceId,
    text: &str,
    range: Range<usize>,
    comments: &mut Comments<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Option<Item> {
    // Statements that cannot be read are overwritten with spaces, so that places stay what they are.
    let mut readable = text.get(range.clone())?.to_owned();
    for _ in 0..MAX_ATTEMPTS {
        let error = match Grammar::parse(Rule::item, &readable) {
            Ok(mut pairs) => {
                let place = Place { source, offset: range.start };
                return Some(item::item(pairs.next()?, place, comments, faults));
            }
            Err(error) => error,
        };
        let (fault, at) = fault::syntax_error(source, text, range.clone(), &error);
        faults.push(fault);
        let broken = statement_around(&readable, at)?;
        let spaces: String = readable.get(broken.clone())?.chars().map(blank).collect();
        readable.replace_range(broken, &spaces);
    }
    None
}

/// The lines of the statement at byte `at` of `block`, unless it is the block's head, holds its last brace, or is
/// blank already.
fn statement_around(block: &str, at: usize) -> Option<Range<usize>> {
    if at == block.len() {
        return None;
    }
    let start = block.get(..at)?.rfind('\n')? + 1;
    let mut end = start;
    for line in block.get(start..)?.split_inclusive('\n') {
        end += line.len();
        let (depth, least) = brace_balance(block, start..end);
        if least < 0 {
            return None;
        }
        if depth == 0 {
            let end = if line.ends_with('\n') { end - 1 } else { end };
            return block.get(start..end).is_some_and(|text| !text.trim().is_empty()).then_some(start..end);
        }
    }
    None
}

/// As many spaces as `c` has bytes; line breaks stay.
fn blank(c: char) -> &'static str {
    match (c, c.len_utf8()) {
        ('\n', _) => "\n",
        (_, 1) => " ",
        (_, 2) => "  ",
        (_, 3) => "   ",
        (_, _) => "    ",
    }
}
