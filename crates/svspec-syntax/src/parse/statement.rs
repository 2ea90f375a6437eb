//! Parsed statements to their tree.
#![expect(clippy::wildcard_enum_match_arm, reason = "the grammar says which of its rules can occur here")]

use super::comments::Comments;
use super::expr::{arguments, expr, path};
use super::grammar::Rule;
use super::token::{Place, child, children, only, required};
use crate::ast;
use crate::ast::{Body, Comparison, Condition, Form, OptimizerBlock, Port, Statement, StatementKind, Term};
use pest::iterators::Pair;
use svspec_diagnostics::Diagnostic;

/// The statements between braces.
pub fn body(
    pair: &Pair<'_, Rule>,
    place: Place,
    comments: &mut Comments<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Body {
    comments.open(place.range(&only(pair, Rule::open_brace)).end);
    let statements = children(pair, Rule::statement)
        .map(|statement| {
            let inner = required(&mut statement.into_inner());
            let range = place.range(&inner);
            let (trivia, kind) = comments.around(range, |comments| kind(&inner, place, comments, faults));
            Statement { trivia, kind, span: place.span(&inner) }
        })
        .collect();
    let trailing = comments.rest(place.range(&only(pair, Rule::close_brace)).start);
    Body { statements, trailing, span: place.span(pair) }
}

fn optional_body(
    pair: &Pair<'_, Rule>,
    place: Place,
    comments: &mut Comments<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Option<Body> {
    child(pair, Rule::body).map(|inner| body(&inner, place, comments, faults))
}

/// `optimizer adamw { … }`
pub fn optimizer(
    pair: &Pair<'_, Rule>,
    place: Place,
    comments: &mut Comments<'_>,
    faults: &mut Vec<Diagnostic>,
) -> OptimizerBlock {
    let algorithm = child(pair, Rule::ident).map(|ident| place.ident(&ident));
    OptimizerBlock { algorithm, body: body(&only(pair, Rule::body), place, comments, faults) }
}

fn kind(
    pair: &Pair<'_, Rule>,
    place: Place,
    comments: &mut Comments<'_>,
    faults: &mut Vec<Diagnostic>,
) -> StatementKind {
    match pair.as_rule() {
        Rule::setting => StatementKind::Setting {
            path: path(&only(pair, Rule::path), place),
            value: expr(&only(pair, Rule::expr), place, comments, faults),
        },
        Rule::placement => StatementKind::Placement {
            targets: children(pair, Rule::path).map(|target| path(&target, place)).collect(),
            form: form(&only(pair, Rule::form), place, comments, faults),
        },
        Rule::rule_statement => StatementKind::Rule(rule(pair, place, comments, faults)),
        Rule::layer => StatementKind::Layer {
            name: child(pair, Rule::ident).map(|ident| place.ident(&ident)),
            body: body(&only(pair, Rule::body), place, comments, faults),
        },
        Rule::tensors => StatementKind::Tensors {
            name: place.ident(&only(pair, Rule::ident)),
            body: body(&only(pair, Rule::body), place, comments, faults),
        },
        Rule::optimizer => StatementKind::Optimizer(optimizer(pair, place, comments, faults)),
        Rule::train => StatementKind::Train(body(&only(pair, Rule::body), place, comments, faults)),
        Rule::part => {
            let mut idents = children(pair, Rule::ident);
            let kind = idents.next().expect("a part has a kind");
            let more = children(pair, Rule::part_name).map(|name| only(&name, Rule::ident));
            StatementKind::Part {
                kind: place.ident(&kind),
                names: idents.chain(more).map(|name| place.ident(&name)).collect(),
                body: optional_body(pair, place, comments, faults),
            }
        }
        Rule::block => StatementKind::Block {
            name: place.ident(&only(pair, Rule::ident)),
            body: optional_body(pair, place, comments, faults),
        },
        other => unreachable!("the grammar makes no statement of {other:?}"),
    }
}

fn form(
    pair: &Pair<'_, Rule>,
    place: Place,
    comments: &mut Comments<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Form {
    let port = child(pair, Rule::port).map(|port| match port.as_str() {
        "in" => (Port::In, place.span(&port)),
        _ => (Port::Out, place.span(&port)),
    });
    let terms = children(pair, Rule::term)
        .map(|term| Term {
            name: place.ident(&only(&term, Rule::ident)),
            arguments: child(&term, Rule::arguments)
                .map(|list| arguments(&list, place, comments, faults))
                .unwrap_or_default(),
            body: optional_body(&term, place, comments, faults),
        })
        .collect();
    Form { port, terms, span: place.span(pair) }
}

fn rule(
    pair: &Pair<'_, Rule>,
    place: Place,
    comments: &mut Comments<'_>,
    faults: &mut Vec<Diagnostic>,
) -> ast::Rule {
    let more = children(pair, Rule::selector).map(|selector| only(&selector, Rule::path));
    ast::Rule {
        verb: place.ident(&only(pair, Rule::ident)),
        value: expr(&only(pair, Rule::rule_value), place, comments, faults),
        selectors: children(pair, Rule::path).chain(more).map(|selector| path(&selector, place)).collect(),
        conditions: children(pair, Rule::condition)
            .map(|inner| condition(&inner, place, comments, faults))
            .collect(),
    }
}

fn condition(
    pair: &Pair<'_, Rule>,
    place: Place,
    comments: &mut Comments<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Condition {
    let test = child(pair, Rule::comparison).map(|written| {
        let comparison = match written.as_str() {
            "==" => Comparison::Equal,
            "!=" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessEqual,
            ">" => Comparison::Greater,
            _ => Comparison::GreaterEqual,
        };
        (comparison, expr(&only(pair, Rule::expr), place, comments, faults))
    });
    Condition {
        attribute: place.ident(&only(pair, Rule::ident)),
        test,
        negated: child(pair, Rule::kw_not).is_some(),
        span: place.span(pair),
    }
}
