//! Pieces of the tree to text on one line. Comments are left out; [`must_break`] says where that would lose some.

use crate::ast::{
    Body, Comparison, Condition, Expr, ExprKind, Form, Ident, Number, Operator, Path, Port, Rule, Statement,
    StatementKind, Term, Trivia, Unit,
};

/// `decay 0.1 on scale where role == input`
pub fn rule(rule: &Rule) -> String {
    format!("{} {}", rule_head(rule), rule_tail(rule))
}

/// `decay 0.1`
pub fn rule_head(rule: &Rule) -> String {
    format!("{} {}", rule.verb.text, expr(&rule.value))
}

/// `on scale where role == input`
fn rule_tail(rule: &Rule) -> String {
    rule_lines(rule).join(" ")
}

/// The selectors of a rule, then each of its conditions: where it may be broken over lines.
pub fn rule_lines(rule: &Rule) -> Vec<String> {
    let selectors = format!("on {}", list(&rule.selectors, path));
    let conditions = rule.conditions.iter().enumerate().map(|(index, one)| {
        let word = if index == 0 { "where" } else { "and" };
        format!("{word} {}", condition(one))
    });
    std::iter::once(selectors).chain(conditions).collect()
}

/// `not absorbable`
fn condition(condition: &Condition) -> String {
    let not = if condition.negated { "not " } else { "" };
    let test = condition.test.as_ref().map_or_else(String::new, |(comparison, value)| {
        format!(" {} {}", comparison_sign(*comparison), expr(value))
    });
    format!("{not}{}{test}", condition.attribute.text)
}

fn comparison_sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterEqual => ">=",
    }
}

/// A statement.
pub fn statement(kind: &StatementKind) -> String {
    match kind {
        StatementKind::Setting { path: target, value } => format!("{} = {}", path(target), expr(value)),
        StatementKind::Block { name, body: inner } => {
            format!("{}{}", name.text, optional_body(inner.as_ref()))
        }
        StatementKind::Part { kind, names, body: inner } => {
            format!("{} {}{}", kind.text, list(names, word), optional_body(inner.as_ref()))
        }
        StatementKind::Layer { name, body: inner } => {
            format!(
                "layer{} {}",
                name.as_ref().map_or_else(String::new, |name| format!(" {}", name.text)),
                body(inner)
            )
        }
        StatementKind::Tensors { name, body: inner } => format!("tensors {} {}", name.text, body(inner)),
        StatementKind::Placement { targets, form: placed } => {
            format!("{} : {}", list(targets, path), form(placed))
        }
        StatementKind::Rule(stated) => rule(stated),
        StatementKind::Optimizer(block) => {
            format!("{} {}", optimizer_head(block.algorithm.as_ref()), body(&block.body))
        }
        StatementKind::Train(inner) => format!("train {}", body(inner)),
    }
}

/// `optimizer adamw`
pub fn optimizer_head(algorithm: Option<&Ident>) -> String {
    algorithm.map_or_else(|| "optimizer".to_owned(), |name| format!("optimizer {}", name.text))
}

/// `{ eps = 1e-5, bias = off }`
pub fn body(body: &Body) -> String {
    if body.statements.is_empty() {
        return "{}".to_owned();
    }
    format!("{{ {} }}", list(&body.statements, |inner| statement(&inner.kind)))
}

fn optional_body(inner: Option<&Body>) -> String {
    inner.map_or_else(String::new, |inner| format!(" {}", body(inner)))
}

/// `attn.{q, k}`
pub fn path(path: &Path) -> String {
    let segments: Vec<_> = path
        .segments
        .iter()
        .map(|segment| match segment.as_slice() {
            [only] => only.text.clone(),
            several => format!("{{{}}}", list(several, word)),
        })
        .collect();
    segments.join(".")
}

/// `out normalize(head) + scale`
pub fn form(form: &Form) -> String {
    let terms: Vec<_> = form.terms.iter().map(term).collect();
    format!("{}{}", port(form), terms.join(" + "))
}

/// `in ` or `out ` or nothing.
pub fn port(form: &Form) -> &'static str {
    match form.port {
        Some((Port::In, _)) => "in ",
        Some((Port::Out, _)) => "out ",
        None => "",
    }
}

/// `scale(head) { init = 0.1 }`
fn term(term: &Term) -> String {
    format!("{}{}", term_head(term), optional_body(term.body.as_ref()))
}

/// `scale(head)`
pub fn term_head(term: &Term) -> String {
    match term.arguments.as_slice() {
        [] => term.name.text.clone(),
        arguments => format!("{}({})", term.name.text, list(arguments, expr)),
    }
}

/// A value.
pub fn expr(value: &Expr) -> String {
    match &value.kind {
        ExprKind::Number(written) => number(written),
        ExprKind::String(text) => format!("\"{text}\""),
        ExprKind::Name(name) => path(name),
        ExprKind::Call { callee, arguments } => format!("{}({})", path(callee), list(arguments, expr)),
        ExprKind::Record { name, body: inner } => format!("{} {}", name.text, body(inner)),
        ExprKind::Tuple(values) => format!("({})", list(values, expr)),
        ExprKind::Negate(inner) => format!("-{}", expr(inner)),
        ExprKind::Binary { operator, left, right } => {
            let sign = operator_sign(*operator);
            match operator {
                Operator::Power => format!("{}{sign}{}", expr(left), expr(right)),
                Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide => {
                    format!("{} {sign} {}", expr(left), expr(right))
                }
            }
        }
        ExprKind::Group(inner) => format!("({})", expr(inner)),
    }
}

/// `+`
pub fn operator_sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::Power => "^",
    }
}

fn number(number: &Number) -> String {
    match number.unit {
        Some(Unit::Tokens) => format!("{} tokens", number.text),
        Some(Unit::Steps) => format!("{} steps", number.text),
        Some(Unit::Percent) => format!("{}%", number.text),
        None => number.text.clone(),
    }
}

/// A word.
pub fn word(ident: &Ident) -> String {
    ident.text.clone()
}

/// `a, b, c`
pub fn list<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// Whether a body cannot stand on one line: it holds comments or blank lines, or statements that would run into one
/// another.
pub fn must_break(body: &Body) -> bool {
    !body.trailing.is_empty() || body.statements.iter().any(statement_must_break)
}

fn statement_must_break(statement: &Statement) -> bool {
    statement.trivia != Trivia::default()
        || match &statement.kind {
            StatementKind::Setting { path: _, value } => value_must_break(value),
            StatementKind::Block { name: _, body } => body.as_ref().is_some_and(must_break),
            StatementKind::Part { .. }
            | StatementKind::Layer { .. }
            | StatementKind::Tensors { .. }
            | StatementKind::Placement { .. }
            | StatementKind::Rule(_)
            | StatementKind::Optimizer(_)
            | StatementKind::Train(_) => true,
        }
}

/// Whether a value holds a body that must break.
pub fn value_must_break(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Name(_) => false,
        ExprKind::Call { callee: _, arguments } => arguments.iter().any(value_must_break),
        ExprKind::Record { name: _, body } => must_break(body),
        ExprKind::Tuple(values) => values.iter().any(value_must_break),
        ExprKind::Negate(inner) | ExprKind::Group(inner) => value_must_break(inner),
        ExprKind::Binary { operator: _, left, right } => value_must_break(left) || value_must_break(right),
    }
}

/// Whether a term holds a body that must break.
pub fn term_must_break(term: &Term) -> bool {
    term.arguments.iter().any(value_must_break) || term.body.as_ref().is_some_and(must_break)
}
