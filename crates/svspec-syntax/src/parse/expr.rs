//! Parsed expressions and paths to their tree.
#![expect(clippy::wildcard_enum_match_arm, reason = "the grammar says which of its rules can occur here")]

use super::comments::Comments;
use super::grammar::Rule;
use super::number::number;
use super::statement::body;
use super::token::{Place, children, only};
use crate::ast::{Expr, ExprKind, Operator, Path};
use pest::iterators::Pair;
use pest::pratt_parser::{Assoc, Op, PrattParser};
use std::sync::LazyLock;
use svspec_diagnostics::Diagnostic;

/// By rising precedence: sums, products, `-`, powers. `-a^2` is `-(a^2)`, and `2^-a` may be written.
static PRECEDENCE: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    PrattParser::new()
        .op(Op::infix(Rule::sum, Assoc::Left))
        .op(Op::infix(Rule::product, Assoc::Left))
        .op(Op::prefix(Rule::negation))
        .op(Op::infix(Rule::power, Assoc::Right))
});

/// The value of an `expr` or a `rule_value`.
pub fn expr(
    pair: &Pair<'_, Rule>,
    place: Place,
    comments: &mut Comments<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Expr {
    PRECEDENCE
        .map_primary(|primary| atom(&primary, place, comments, faults))
        .map_prefix(|sign, operand| Expr {
            span: place.span(&sign).to(operand.span),
            kind: ExprKind::Negate(Box::new(operand)),
        })
        .map_infix(|left, written, right| {
            let operator = match written.as_str() {
                "+" => Operator::Add,
                "-" => Operator::Subtract,
                "*" => Operator::Multiply,
                "/" => Operator::Divide,
                _ => Operator::Power,
            };
            let span = left.span.to(right.span);
            Expr { kind: ExprKind::Binary { operator, left: Box::new(left), right: Box::new(right) }, span }
        })
        .parse(pair.clone().into_inner())
}

/// The values between parentheses.
pub fn arguments(
    pair: &Pair<'_, Rule>,
    place: Place,
    comments: &mut Comments<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Vec<Expr> {
    children(pair, Rule::expr).map(|value| expr(&value, place, comments, faults)).collect()
}

fn atom(
    pair: &Pair<'_, Rule>,
    place: Place,
    comments: &mut Comments<'_>,
    faults: &mut Vec<Diagnostic>,
) -> Expr {
    let span = place.span(pair);
    let kind = match pair.as_rule() {
        Rule::number => ExprKind::Number(number(pair, span, faults)),
        Rule::string => ExprKind::String(pair.as_str().trim_matches('"').to_owned()),
        Rule::name => ExprKind::Name(path(&only(pair, Rule::path), place)),
        Rule::call => ExprKind::Call {
            callee: path(&only(pair, Rule::path), place),
            arguments: arguments(&only(pair, Rule::arguments), place, comments, faults),
        },
        Rule::record => ExprKind::Record {
            name: place.ident(&only(pair, Rule::ident)),
            body: body(&only(pair, Rule::body), place, comments, faults),
        },
        Rule::parentheses => {
            let mut values = arguments(pair, place, comments, faults);
            match values.len() {
                1 => ExprKind::Group(Box::new(values.remove(0))),
                _ => ExprKind::Tuple(values),
            }
        }
        other => unreachable!("the grammar makes no value of {other:?}"),
    };
    Expr { kind, span }
}

/// A dotted name.
pub fn path(pair: &Pair<'_, Rule>, place: Place) -> Path {
    let segments = pair
        .clone()
        .into_inner()
        .filter(|inner| inner.as_rule() != Rule::dot)
        .map(|segment| match segment.as_rule() {
            Rule::name_set => children(&segment, Rule::ident).map(|ident| place.ident(&ident)).collect(),
            _ => vec![place.ident(&segment)],
        })
        .collect();
    Path { segments, span: place.span(pair) }
}
