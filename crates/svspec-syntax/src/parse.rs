//! The text of a file to its syntax tree and the faults in it.
//!
//! The text is cut into top-level blocks, and these are parsed one by one, so that one broken block hides no
//! other. Within a block, a statement that cannot be read is left out and the rest is kept.

mod block;
mod comments;
mod expectation;
mod expr;
mod fault;
mod grammar;
mod item;
mod limits;
mod number;
mod outline;
mod scan;
mod statement;
mod token;
mod version;

use crate::ast::{File, Trivia};
use comments::Comments;
use std::ops::Range;
use svspec_diagnostics::{Diagnostic, SourceId, Span};

/// More faults than this in one file are counted, not listed.
const MAX_FAULTS: usize = 50;

/// The syntax tree of `text` and what is wrong with it. The tree holds all that could be read; if there is no fault,
/// it is the whole file.
pub fn parse(source: SourceId, text: &str) -> (File, Vec<Diagnostic>) {
    let mut file =
        File { version: None, version_trivia: Trivia::default(), items: Vec::new(), trailing: Vec::new() };
    if let Some(fault) = limits::text_fault(source, text) {
        return (file, vec![fault]);
    }
    let mut faults = Vec::new();
    let mut comments = Comments::new(text);
    let outline = outline::outline(text);
    let (version, blocks) = version::split(source, text, &outline, &mut faults);
    if let Some(version) = version {
        file.version = version.number;
        file.version_trivia = comments.around(version.range, |_| ()).0;
    }
    let mut num_hidden = 0;
    let mut above: Option<Range<usize>> = None;
    for range in blocks {
        let is_stray = outline::is_stray(text, &range);
        let above = above.replace(range.clone());
        // Of stray lines in a row the first tells.
        if is_stray && above.as_ref().is_some_and(|above| outline::is_stray(text, above)) {
            continue;
        }
        let num_faults = faults.len();
        match limits::nesting_fault(source, text, range.clone()) {
            Some(fault) => faults.push(fault),
            None => file.items.extend(block::parse(source, text, range, &mut comments, &mut faults)),
        }
        if is_stray && let (Some(above), Some(stray)) = (above, faults.get(num_faults).cloned()) {
            faults.truncate(num_faults);
            faults.push(stray_line(source, text, &above, stray));
        }
        num_hidden += faults.len().saturating_sub(MAX_FAULTS);
        faults.truncate(MAX_FAULTS);
    }
    file.trailing = comments.rest(text.len());
    if let Some(last) = faults.pop_if(|_| num_hidden > 0) {
        faults.push(last.help(format!("{num_hidden} more faults are not shown")));
    }
    (file, faults)
}

/// The fault of a line that stands outside of blocks, told with the end of the block above it: most often a brace there
/// is one too many, or one is missing.
fn stray_line(source: SourceId, text: &str, above: &Range<usize>, fault: Diagnostic) -> Diagnostic {
    if text.get(above.clone()).is_none_or(|block| !block.ends_with('}')) {
        return fault;
    }
    fault
        .because(Span::new(source, above.end - 1, above.end), "the block above ends here")
        .help("if it belongs to that block, a `{` is missing there, or a `}` is one too many")
}
