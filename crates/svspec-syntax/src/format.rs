//! A syntax tree to the one canonical layout of its text.
//!
//! The layout depends on the tree alone, never on places: what is formatted once is not changed by formatting again.

mod body;
mod flat;
mod item;
mod row;
mod value;

pub use flat::{expr as format_expr, form as format_form, path as format_path, rule as format_rule};

use crate::ast::{File, ItemKind, Statement};

/// Lines are broken, where they can be, to stay within this many characters. Comments may pass it.
const MAX_WIDTH: usize = 110;
/// Spaces per level of braces.
const INDENT: usize = 4;

/// The canonical text of `file`. It holds all that the tree holds: of a file with syntax errors, that is not all.
pub fn format(file: &File) -> String {
    let mut out = String::new();
    if let Some((version, _)) = file.version {
        body::write_comments(&mut out, &file.version_trivia, 0);
        let trailing = file.version_trivia.trailing.as_deref();
        body::write_with_trailing(&mut out, &format!("svspec {version}"), trailing, 0);
        out.push('\n');
    }
    let mut after_import = false;
    for item in &file.items {
        let is_import = matches!(item.kind, ItemKind::Import { .. });
        let has_comments = !item.trivia.leading.is_empty() || !item.trivia.doc.is_empty();
        let joins = after_import && is_import && !has_comments;
        if !out.is_empty() && !joins {
            out.push('\n');
        }
        item::write(&mut out, item);
        after_import = is_import;
    }
    body::write_lines(&mut out, &file.trailing, 0);
    out
}

/// The statement on one line, without its comments.
pub fn format_statement(statement: &Statement) -> String {
    flat::statement(&statement.kind)
}

/// The start of a line at a level of braces.
fn indent(depth: usize) -> String {
    " ".repeat(depth * INDENT)
}
