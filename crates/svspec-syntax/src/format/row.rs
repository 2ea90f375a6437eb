//! A statement to the columns that it shares with its neighbours, and these to its text.

use super::{flat, value};
use crate::ast::{Body, Expr, Form, Path, Rule, Statement, StatementKind};

/// What a run of rows aligns by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind<'a> {
    /// By `=`.
    Setting,
    /// By `:`.
    Placement,
    /// By `on`, with rules of the same verb.
    Rule(&'a str),
    /// By the names.
    Part,
}

/// A statement in columns.
#[derive(Debug)]
pub struct Row<'a> {
    /// `None` for what stands alone.
    pub kind: Option<RowKind<'a>>,
    /// The first column.
    pub head: String,
    /// A part's names; empty for others.
    pub names: String,
    num_names: usize,
    tail: Tail<'a>,
}

#[derive(Debug)]
enum Tail<'a> {
    Setting(&'a Expr),
    Placement(&'a [Path], &'a Form),
    Rule(&'a Rule),
    /// Braces that stay on the line if they can.
    Inline(Option<&'a Body>),
    /// Braces that never do, unless there is nothing in them.
    Block(&'a Body),
}

/// The columns of `statement`.
pub fn row(statement: &Statement) -> Row<'_> {
    let alone = |head: String, tail| Row { kind: None, head, names: String::new(), num_names: 0, tail };
    let of = |kind, head: String, tail| Row { kind: Some(kind), ..alone(head, tail) };
    match &statement.kind {
        StatementKind::Setting { path, value } => {
            of(RowKind::Setting, flat::path(path), Tail::Setting(value))
        }
        StatementKind::Placement { targets, form } => {
            of(RowKind::Placement, flat::list(targets, flat::path), Tail::Placement(targets, form))
        }
        StatementKind::Rule(rule) => {
            of(RowKind::Rule(&rule.verb.text), flat::rule_head(rule), Tail::Rule(rule))
        }
        StatementKind::Part { kind, names, body } => Row {
            names: flat::list(names, flat::word),
            num_names: names.len(),
            ..of(RowKind::Part, kind.text.clone(), Tail::Inline(body.as_ref()))
        },
        StatementKind::Block { name, body } => alone(name.text.clone(), Tail::Inline(body.as_ref())),
        StatementKind::Layer { name, body } => {
            let head =
                name.as_ref().map_or_else(|| "layer".to_owned(), |name| format!("layer {}", name.text));
            alone(head, Tail::Block(body))
        }
        StatementKind::Tensors { name, body } => alone(format!("tensors {}", name.text), Tail::Block(body)),
        StatementKind::Optimizer(block) => {
            alone(flat::optimizer_head(block.algorithm.as_ref()), Tail::Block(&block.body))
        }
        StatementKind::Train(body) => alone("train".to_owned(), Tail::Block(body)),
    }
}

impl Row<'_> {
    /// Whether this is a part that shares the column after its name.
    pub fn has_one_name(&self) -> bool {
        self.num_names == 1
    }

    /// The text, its columns at least `head` and `names` wide; broken over lines if it is wider than `room`.
    pub fn text(&self, head: usize, names: usize, room: usize, depth: usize) -> String {
        let start = if self.names.is_empty() {
            format!("{:head$} ", self.head)
        } else {
            format!("{:head$} {:names$} ", self.head, self.names)
        };
        let width = start.chars().count();
        let left = room.saturating_sub(width);
        let tail = match self.tail {
            Tail::Setting(written) => format!("= {}", value::value(written, left.saturating_sub(2), depth)),
            Tail::Placement(targets, form) => {
                let flat = format!(": {}", flat::form(form));
                if !form.terms.iter().any(flat::term_must_break) && flat.chars().count() <= left {
                    flat
                } else {
                    let head = value::targets(targets, room, depth);
                    return format!("{head} :{}", value::form(form, depth));
                }
            }
            Tail::Rule(rule) => value::rule_tail(rule, left, depth),
            Tail::Inline(None) => String::new(),
            Tail::Inline(Some(body)) => value::body(body, left, depth),
            Tail::Block(body) => super::body::block(body, depth),
        };
        format!("{start}{tail}").trim_end().to_owned()
    }
}
