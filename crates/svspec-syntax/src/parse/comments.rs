//! The comments of a file, handed out in order to the statements that they belong to.

use super::scan::{Mark, marks};
use crate::ast::Trivia;
use std::ops::Range;

/// One comment: where it stands and what it says.
#[derive(Clone, Debug)]
struct Comment {
    range: Range<usize>,
    kind: Kind,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `//`
    Plain,
    /// `///`, but not `////`
    Doc,
}

/// The comments not yet handed out, and where in the text that has got to.
#[derive(Debug)]
pub struct Comments<'t> {
    text: &'t str,
    rest: std::iter::Peekable<std::vec::IntoIter<Comment>>,
    /// Where the last comment, statement or opening brace ended.
    mark: usize,
    /// Whether that was an opening brace or the start of the file: a blank line after these is not kept.
    fresh: bool,
}

impl<'t> Comments<'t> {
    /// All comments of `text`.
    pub fn new(text: &'t str) -> Self {
        let comments: Vec<_> = marks(text, 0..text.len())
            .filter(|(mark, _)| *mark == Mark::Comment)
            .map(|(_, range)| comment(text, range))
            .collect();
        Self { text, rest: comments.into_iter().peekable(), mark: 0, fresh: true }
    }

    /// Builds the statement that covers `range`, and collects the comments before it, on its first line, in it where
    /// no statement of its own takes them, and after it on its last line.
    pub fn around<T>(&mut self, range: Range<usize>, build: impl FnOnce(&mut Self) -> T) -> (Trivia, T) {
        let mut trivia = self.before(range.start);
        trivia.trailing = self.next_on_line(range.start, range.end).map(|comment| comment.text);
        self.advance(range.start);
        let built = build(self);
        while let Some(inside) = self.next_before(range.end) {
            trivia.leading.push(Some(inside.text));
        }
        self.advance(range.end);
        if let Some(after) = self.next_right_after(range.end) {
            match trivia.trailing {
                Some(_) => trivia.leading.push(Some(after.text)),
                None => trivia.trailing = Some(after.text),
            }
        }
        (trivia, built)
    }

    /// Notes that a brace opens before `end`.
    pub fn open(&mut self, end: usize) {
        self.advance(end);
        self.fresh = true;
    }

    /// The comments up to `end`, where a closing brace or the end of the file stands.
    pub fn rest(&mut self, end: usize) -> Vec<Option<String>> {
        let mut lines = Vec::new();
        while let Some(comment) = self.rest.next_if(|comment| comment.range.start < end) {
            if self.blank_before(comment.range.start) {
                lines.push(None);
            }
            self.advance(comment.range.end);
            lines.push(Some(comment.text));
        }
        self.advance(end);
        lines
    }

    fn before(&mut self, start: usize) -> Trivia {
        let mut trivia = Trivia::default();
        while let Some(comment) = self.rest.next_if(|comment| comment.range.start < start) {
            if trivia.doc.is_empty() && self.blank_before(comment.range.start) {
                trivia.leading.push(None);
            }
            self.advance(comment.range.end);
            match comment.kind {
                Kind::Plain => trivia.leading.push(Some(comment.text)),
                Kind::Doc => trivia.doc.push(comment.text),
            }
        }
        if trivia.doc.is_empty() && self.blank_before(start) {
            trivia.leading.push(None);
        }
        trivia
    }

    fn advance(&mut self, end: usize) {
        self.mark = self.mark.max(end);
        self.fresh = false;
    }

    fn blank_before(&self, at: usize) -> bool {
        let between = self.text.get(self.mark..at).unwrap_or("");
        let mut lines = between.split('\n');
        // The first and the last line are those of the mark and of `at`.
        lines.next();
        lines.next_back();
        !self.fresh && lines.any(|line| line.trim().is_empty())
    }

    fn next_before(&mut self, end: usize) -> Option<Comment> {
        self.rest.next_if(|comment| comment.range.start < end)
    }

    /// The next comment if it stands between `start` and `end` on the line of `start`.
    fn next_on_line(&mut self, start: usize, end: usize) -> Option<Comment> {
        let text = self.text;
        self.rest.next_if(|comment| {
            comment.range.start < end
                && text.get(start..comment.range.start).is_some_and(|between| !between.contains('\n'))
        })
    }

    /// The next comment if nothing but spaces and a comma parts it from `end`.
    fn next_right_after(&mut self, end: usize) -> Option<Comment> {
        let text = self.text;
        let comment = self.rest.next_if(|comment| {
            let between = text.get(end..comment.range.start);
            between.is_some_and(|between| {
                between.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b','))
            })
        })?;
        self.advance(comment.range.end);
        Some(comment)
    }
}

fn comment(text: &str, range: Range<usize>) -> Comment {
    let written = text.get(range.clone()).unwrap_or("");
    let (kind, said) = match written.strip_prefix("///") {
        Some(said) if !said.starts_with('/') => (Kind::Doc, said),
        Some(_) | None => (Kind::Plain, written.strip_prefix("//").unwrap_or(written)),
    };
    let text = said.strip_prefix(' ').unwrap_or(said).trim_end().to_owned();
    Comment { range, kind, text }
}
