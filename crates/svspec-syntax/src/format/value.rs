//! Values, forms and the rest of rules to text that is broken over lines where one does not hold it.

use super::{INDENT, MAX_WIDTH, body as block, flat, indent};
use crate::ast::{Body, Expr, ExprKind, Form, Path, Rule};

/// The value, on one line if that has `room` for it.
pub fn value(written: &Expr, room: usize, depth: usize) -> String {
    let line = flat::expr(written);
    if !flat::value_must_break(written) && line.chars().count() <= room {
        return line;
    }
    match &written.kind {
        ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Name(_) => line,
        ExprKind::Call { callee, arguments } => {
            format!("{}{}", flat::path(callee), parenthesised(arguments, depth))
        }
        ExprKind::Record { name, body } => format!("{} {}", name.text, block::block(body, depth)),
        ExprKind::Tuple(values) => parenthesised(values, depth),
        ExprKind::Group(inner) => parenthesised(std::slice::from_ref(inner), depth),
        ExprKind::Negate(inner) => format!("-{}", value(inner, room.saturating_sub(1), depth)),
        ExprKind::Binary { operator, left, right } => {
            let sign = flat::operator_sign(*operator);
            let inner = indent(depth + 1);
            format!(
                "{} {sign}\n{inner}{}",
                value(left, room, depth),
                value(right, room_at(depth + 1), depth + 1)
            )
        }
    }
}

fn parenthesised(values: &[Expr], depth: usize) -> String {
    let inner = indent(depth + 1);
    let lines: Vec<_> =
        values.iter().map(|one| format!("{inner}{}", value(one, room_at(depth + 1), depth + 1))).collect();
    format!("(\n{}\n{})", lines.join(",\n"), indent(depth))
}

fn room_at(depth: usize) -> usize {
    MAX_WIDTH.saturating_sub(depth * INDENT)
}

/// The braces of a part, on one line if that has `room` for them.
pub fn body(body: &Body, room: usize, depth: usize) -> String {
    let line = flat::body(body);
    if !flat::must_break(body) && line.chars().count() <= room { line } else { block::block(body, depth) }
}

/// The targets of a placement, one on a line if they are wider than `room`.
pub fn targets(targets: &[Path], room: usize, depth: usize) -> String {
    let line = flat::list(targets, flat::path);
    if line.chars().count() + 2 <= room {
        return line;
    }
    let separator = format!(",\n{}", indent(depth));
    targets.iter().map(flat::path).collect::<Vec<_>>().join(&separator)
}

/// The form of a placement that has no room beside its targets: on a line of its own, its terms broken if need be.
pub fn form(form: &Form, depth: usize) -> String {
    let inner = indent(depth + 1);
    let line = flat::form(form);
    let breaks = form.terms.iter().any(flat::term_must_break);
    if !breaks && line.chars().count() <= room_at(depth + 1) {
        return format!("\n{inner}{line}");
    }
    let terms: Vec<_> = form
        .terms
        .iter()
        .map(|term| match &term.body {
            Some(inner) => {
                format!("{} {}", flat::term_head(term), body(inner, room_at(depth + 2), depth + 1))
            }
            None => flat::term_head(term),
        })
        .collect();
    format!("\n{inner}{}{}", flat::port(form), terms.join(&format!(" +\n{inner}")))
}

/// What a rule says after its value, each condition on a line of its own if one line has no `room` for all.
pub fn rule_tail(rule: &Rule, room: usize, depth: usize) -> String {
    let lines = flat::rule_lines(rule);
    let flat = lines.join(" ");
    if flat.chars().count() <= room { flat } else { lines.join(&format!("\n{}", indent(depth + 1))) }
}
