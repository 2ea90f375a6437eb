//! Pairs of the parser to places and words.

use super::grammar::Rule;
use crate::ast::Ident;
use pest::iterators::{Pair, Pairs};
use std::ops::Range;
use svspec_diagnostics::{SourceId, Span};

/// Where a block stands: pest counts bytes from its start.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The file.
    pub source: SourceId,
    /// The block's first byte.
    pub offset: usize,
}

impl Place {
    /// The bytes of the file from the first token of `pair` to its last.
    pub fn range(self, pair: &Pair<'_, Rule>) -> Range<usize> {
        let start = self.offset + pair.as_span().start();
        start..(self.offset + last_token_end(pair)).max(start)
    }

    /// `range` as a span.
    pub fn span(self, pair: &Pair<'_, Rule>) -> Span {
        let range = self.range(pair);
        Span::new(self.source, range.start, range.end)
    }

    /// A word.
    pub fn ident(self, pair: &Pair<'_, Rule>) -> Ident {
        Ident { text: pair.as_str().to_owned(), span: self.span(pair) }
    }
}

/// pest counts the spaces and comments after an absent optional into a pair; only tokens are told exactly.
fn last_token_end(pair: &Pair<'_, Rule>) -> usize {
    let mut last = pair.clone();
    while let Some(inner) = last.clone().into_inner().filter(|inner| inner.as_rule() != Rule::EOI).last() {
        last = inner;
    }
    last.as_span().end()
}

/// The inner pair of `pair` made by `rule`.
pub fn child<'i>(pair: &Pair<'i, Rule>, rule: Rule) -> Option<Pair<'i, Rule>> {
    children(pair, rule).next()
}

/// The inner pairs of `pair` made by `rule`, in order.
pub fn children<'i>(pair: &Pair<'i, Rule>, rule: Rule) -> impl Iterator<Item = Pair<'i, Rule>> {
    pair.clone().into_inner().filter(move |inner| inner.as_rule() == rule)
}

/// The next pair; the grammar guarantees it.
pub fn required<'i>(pairs: &mut Pairs<'i, Rule>) -> Pair<'i, Rule> {
    pairs.next().expect("the grammar has a token here")
}

/// The inner pair made by `rule`; the grammar guarantees it.
pub fn only<'i>(pair: &Pair<'i, Rule>, rule: Rule) -> Pair<'i, Rule> {
    child(pair, rule).expect("the grammar has this part here")
}
