//! The statements between braces to lines, aligned in runs, with their comments.

use super::row::{Row, row};
use super::{MAX_WIDTH, indent};
use crate::ast::{Body, Statement, Trivia};

/// Spaces between a statement and the comment after it.
const COMMENT_GAP: usize = 2;

/// The body over several lines, from its opening brace to its closing one; `{}` if there is nothing in it.
pub fn block(body: &Body, depth: usize) -> String {
    if body.statements.is_empty() && body.trailing.is_empty() {
        return "{}".to_owned();
    }
    let mut out = "{\n".to_owned();
    let mut rest = body.statements.as_slice();
    while !rest.is_empty() {
        let len = run_len(rest);
        let (run, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
        write_run(&mut out, run, depth + 1);
        rest = after;
    }
    write_lines(&mut out, &body.trailing, depth + 1);
    out.push_str(&indent(depth));
    out.push('}');
    out
}

/// How many statements follow one another at the start of `statements` with nothing between them.
fn run_len(statements: &[Statement]) -> usize {
    let parted =
        |statement: &&Statement| statement.trivia.leading.is_empty() && statement.trivia.doc.is_empty();
    1 + statements.iter().skip(1).take_while(parted).count()
}

fn write_run(out: &mut String, run: &[Statement], depth: usize) {
    let rows: Vec<Row<'_>> = run.iter().map(row).collect();
    let texts: Vec<String> = aligned(&rows, depth);
    let mut gaps = comment_columns(run, &texts).into_iter();
    for (statement, text) in run.iter().zip(&texts) {
        write_comments(out, &statement.trivia, depth);
        out.push_str(&indent(depth));
        let column = gaps.next().unwrap_or(0);
        write_with_trailing(out, text, statement.trivia.trailing.as_deref(), column);
        out.push('\n');
    }
}

/// The text of each row: adjacent rows of one kind share their columns.
fn aligned(rows: &[Row<'_>], depth: usize) -> Vec<String> {
    let room = MAX_WIDTH.saturating_sub(depth * super::INDENT);
    let mut texts = Vec::with_capacity(rows.len());
    for run in rows.chunk_by(|a, b| a.kind == b.kind && a.kind.is_some()) {
        let head = run.iter().map(|row| width(&row.head)).max().unwrap_or(0);
        for names in run.chunk_by(|a, b| a.has_one_name() && b.has_one_name()) {
            let name = names.iter().map(|row| width(&row.names)).max().unwrap_or(0);
            texts.extend(names.iter().map(|row| row.text(head, name, room, depth)));
        }
    }
    texts
}

/// The column of each statement's comment: adjacent comments stand below one another.
fn comment_columns(run: &[Statement], texts: &[String]) -> Vec<usize> {
    let rows: Vec<_> = run.iter().zip(texts).collect();
    let aligns = |row: &(&Statement, &String)| row.0.trivia.trailing.is_some() && !row.1.contains('\n');
    rows.chunk_by(|a, b| aligns(a) && aligns(b))
        .flat_map(|chunk| {
            let column = chunk.iter().map(|(_, text)| width(text)).max().unwrap_or(0);
            chunk.iter().map(move |_| column)
        })
        .collect()
}

/// Writes `text`, whose first line takes the comment, at `column` from its start or further right.
pub fn write_with_trailing(out: &mut String, text: &str, trailing: Option<&str>, column: usize) {
    let (first, rest) = text.split_once('\n').map_or((text, None), |(first, rest)| (first, Some(rest)));
    out.push_str(first);
    if trailing.is_some() && rest.is_none() {
        out.push_str(&" ".repeat(column.saturating_sub(width(first))));
    }
    write_trailing(out, trailing);
    if let Some(rest) = rest {
        out.push('\n');
        out.push_str(rest);
    }
}

/// Writes a comment at the end of a line.
fn write_trailing(out: &mut String, trailing: Option<&str>) {
    if let Some(text) = trailing {
        out.push_str(&" ".repeat(COMMENT_GAP));
        write_comment(out, "//", text);
    }
}

/// Writes the comments before a statement, each on its line.
pub fn write_comments(out: &mut String, trivia: &Trivia, depth: usize) {
    write_lines(out, &trivia.leading, depth);
    for text in &trivia.doc {
        out.push_str(&indent(depth));
        write_comment(out, "///", text);
        out.push('\n');
    }
}

/// Writes lines of comments; `None` is a blank line.
pub fn write_lines(out: &mut String, lines: &[Option<String>], depth: usize) {
    for line in lines {
        if let Some(text) = line {
            out.push_str(&indent(depth));
            write_comment(out, "//", text);
        }
        out.push('\n');
    }
}

fn write_comment(out: &mut String, slashes: &str, text: &str) {
    out.push_str(slashes);
    if !text.is_empty() {
        out.push(' ');
        out.push_str(text);
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}
