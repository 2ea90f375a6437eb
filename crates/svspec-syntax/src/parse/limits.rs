//! What is refused before the grammar is applied: what is no text, what is too large, what is nested too deeply.

use super::scan::{Mark, marks};
use std::ops::Range;
use svspec_diagnostics::{Diagnostic, SourceId, Span};

/// The size of the largest file, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// How deep brackets may be nested. Parsing recurses once for each.
const MAX_BRACKETS: usize = 64;
/// How many operators may stand in one expression, those around its brackets included: the tree is no deeper.
const MAX_OPERATORS: usize = 256;

/// Why no grammar should see `text`, if so.
pub fn text_fault(source: SourceId, text: &str) -> Option<Diagnostic> {
    if text.len() > MAX_BYTES {
        return Some(
            Diagnostic::error(
                "too-large",
                format!("the file has {} bytes, and {MAX_BYTES} is the most", text.len()),
            )
            .at(Span::new(source, 0, 0), "")
            .help("split it, and `import` the parts"),
        );
    }
    if let Some(at) = text.find('\0') {
        return Some(
            Diagnostic::error("syntax-error", format!("byte {at} is zero: this is not a text file"))
                .at(Span::new(source, at, at + 1), "a zero byte")
                .help("a spec is UTF-8 text that starts with the line `svspec 1`"),
        );
    }
    None
}

/// The place where the block `text[range]` is nested so deeply that parsing it could recurse too far, if there is one.
pub fn nesting_fault(source: SourceId, text: &str, range: Range<usize>) -> Option<Diagnostic> {
    // For each open bracket, the operators so far in the expression around it.
    let mut open = vec![0_usize];
    let mut num_operators = 0;
    let mut after_operator = false;
    for (mark, place) in marks(text, range) {
        let reset = match mark {
            Mark::Open(_) => {
                open.push(0);
                false
            }
            Mark::Close(_) => {
                if open.len() > 1 {
                    num_operators -= open.pop().unwrap_or(0);
                }
                false
            }
            Mark::Other(b'+' | b'-' | b'*' | b'/' | b'^') => {
                num_operators += 1;
                if let Some(count) = open.last_mut() {
                    *count += 1;
                }
                false
            }
            Mark::Other(b',') => true,
            // A line may break after an operator.
            Mark::LineBreak => !after_operator,
            Mark::Comment | Mark::String | Mark::Space | Mark::Other(_) => false,
        };
        if let Some(count) = open.last_mut().filter(|_| reset) {
            num_operators -= std::mem::take(count);
        }
        let (what, most) = match () {
            () if open.len() > MAX_BRACKETS + 1 => ("brackets inside one another", MAX_BRACKETS),
            () if num_operators > MAX_OPERATORS => ("operators in one expression", MAX_OPERATORS),
            () => {
                if !matches!(mark, Mark::Space | Mark::LineBreak | Mark::Comment) {
                    after_operator = matches!(mark, Mark::Other(b'+' | b'-' | b'*' | b'/' | b'^'));
                }
                continue;
            }
        };
        return Some(
            Diagnostic::error("nested-too-deeply", format!("more than {most} {what}"))
                .at(Span::new(source, place.start, place.end), "one too many")
                .help("name a part of it with a setting of its own, such as `alpha = ...`"),
        );
    }
    None
}
