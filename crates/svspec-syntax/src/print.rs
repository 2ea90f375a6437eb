//! A syntax tree to a compact print of its structure: what snapshots show, and what two texts of one meaning share.

use crate::ast::{
    Body, Expr, ExprKind, File, Form, Ident, Item, ItemKind, OptimizerBlock, Path, Rule, Statement,
    StatementKind, Term, Trivia,
};

/// The tree of `file` as nested parentheses, one statement a line. Places are left out, comments are not.
pub fn print(file: &File) -> String {
    let mut out = match &file.version {
        Some((version, _)) => format!("(svspec {version}){}\n", trivia(&file.version_trivia)),
        None => String::new(),
    };
    for item in &file.items {
        out.push_str(&print_item(item));
        out.push('\n');
    }
    out.push_str(&comments(&file.trailing));
    out
}

fn print_item(item: &Item) -> String {
    let inner = match &item.kind {
        ItemKind::Import { path, path_span: _ } => format!("(import {path:?})"),
        ItemKind::Part(definition) => {
            let (name, inputs) = (&definition.name.text, words(&definition.inputs));
            format!("(part-kind {name} of [{inputs}]{})", print_body(&definition.body, 1))
        }
        ItemKind::Model { name, body } => format!("(model {}{})", name.text, print_body(body, 1)),
        ItemKind::Variant { name, base, with, body } => {
            format!("(variant {} of {} with [{}]{})", name.text, base.text, words(with), print_body(body, 1))
        }
        ItemKind::Optimizer(block) => print_optimizer(block, 1),
        ItemKind::Train(body) => format!("(train{})", print_body(body, 1)),
    };
    inner + &trivia(&item.trivia)
}

fn print_optimizer(block: &OptimizerBlock, depth: usize) -> String {
    let algorithm = block.algorithm.as_ref().map_or("-", |name| name.text.as_str());
    format!("(optimizer {algorithm}{})", print_body(&block.body, depth))
}

fn print_body(body: &Body, depth: usize) -> String {
    let mut out = String::new();
    for statement in &body.statements {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
        out.push_str(&print_statement(statement, depth + 1));
    }
    out + &comments(&body.trailing)
}

fn optional_body(body: Option<&Body>, depth: usize) -> String {
    body.map_or_else(String::new, |body| format!(" {{{}}}", print_body(body, depth)))
}

fn print_statement(statement: &Statement, depth: usize) -> String {
    let inner = match &statement.kind {
        StatementKind::Setting { path, value } => {
            format!("(= {} {})", print_path(path), print_expr(value, depth))
        }
        StatementKind::Block { name, body } => {
            format!("(block {}{})", name.text, optional_body(body.as_ref(), depth))
        }
        StatementKind::Part { kind, names, body } => {
            format!("(part {} [{}]{})", kind.text, words(names), optional_body(body.as_ref(), depth))
        }
        StatementKind::Layer { name, body } => {
            let name = name.as_ref().map_or("-", |name| name.text.as_str());
            format!("(layer {name}{})", print_body(body, depth))
        }
        StatementKind::Tensors { name, body } => {
            format!("(tensors {}{})", name.text, print_body(body, depth))
        }
        StatementKind::Placement { targets, form } => {
            format!("(: {} {})", paths(targets), print_form(form, depth))
        }
        StatementKind::Rule(rule) => print_rule(rule, depth),
        StatementKind::Optimizer(block) => print_optimizer(block, depth),
        StatementKind::Train(body) => format!("(train{})", print_body(body, depth)),
    };
    inner + &trivia(&statement.trivia)
}

fn print_form(form: &Form, depth: usize) -> String {
    let port = form.port.map_or_else(String::new, |(port, _)| format!("{port:?} ").to_lowercase());
    let terms: Vec<_> = form.terms.iter().map(|term| print_term(term, depth)).collect();
    format!("{port}{}", terms.join(" + "))
}

fn print_term(term: &Term, depth: usize) -> String {
    let arguments = match term.arguments.as_slice() {
        [] => String::new(),
        arguments => format!("({})", exprs(arguments, depth)),
    };
    format!("{}{arguments}{}", term.name.text, optional_body(term.body.as_ref(), depth))
}

fn print_rule(rule: &Rule, depth: usize) -> String {
    let head =
        format!("(rule {} {} on {}", rule.verb.text, print_expr(&rule.value, depth), paths(&rule.selectors));
    let conditions = rule.conditions.iter().map(|condition| {
        let not = if condition.negated { "not " } else { "" };
        let test = condition.test.as_ref().map_or_else(String::new, |(comparison, value)| {
            format!(" {comparison:?} {}", print_expr(value, depth))
        });
        format!("({not}{}{test})", condition.attribute.text)
    });
    std::iter::once(head).chain(conditions).collect::<Vec<_>>().join(" ") + ")"
}

fn print_expr(expr: &Expr, depth: usize) -> String {
    match &expr.kind {
        ExprKind::Number(number) => {
            let unit = number.unit.map_or_else(String::new, |unit| format!(":{unit:?}"));
            format!("{}={}{unit}", number.text, number.value)
        }
        ExprKind::String(text) => format!("{text:?}"),
        ExprKind::Name(path) => print_path(path),
        ExprKind::Call { callee, arguments } => {
            format!("(call {} {})", print_path(callee), exprs(arguments, depth))
        }
        ExprKind::Record { name, body } => format!("(record {}{})", name.text, print_body(body, depth)),
        ExprKind::Tuple(values) => format!("(tuple {})", exprs(values, depth)),
        ExprKind::Negate(inner) => format!("(neg {})", print_expr(inner, depth)),
        ExprKind::Binary { operator, left, right } => {
            format!("({operator:?} {} {})", print_expr(left, depth), print_expr(right, depth))
        }
        ExprKind::Group(inner) => format!("(group {})", print_expr(inner, depth)),
    }
}

fn exprs(values: &[Expr], depth: usize) -> String {
    values.iter().map(|value| print_expr(value, depth)).collect::<Vec<_>>().join(" ")
}

fn print_path(path: &Path) -> String {
    path.segments.iter().map(|segment| words(segment)).collect::<Vec<_>>().join(".")
}

fn paths(paths: &[Path]) -> String {
    format!("[{}]", paths.iter().map(print_path).collect::<Vec<_>>().join(" "))
}

fn words(idents: &[Ident]) -> String {
    idents.iter().map(|ident| ident.text.as_str()).collect::<Vec<_>>().join("|")
}

fn trivia(trivia: &Trivia) -> String {
    let docs: Vec<_> = trivia.doc.iter().map(|text| format!(" ;doc {text:?}")).collect();
    let trailing = trivia.trailing.as_ref().map_or_else(String::new, |text| format!(" ;end {text:?}"));
    comments(&trivia.leading) + &docs.concat() + &trailing
}

fn comments(lines: &[Option<String>]) -> String {
    let lines: Vec<_> = lines
        .iter()
        .map(|line| line.as_ref().map_or(" ;blank".to_owned(), |text| format!(" ;{text:?}")))
        .collect();
    lines.concat()
}
