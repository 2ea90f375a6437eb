//! The number of a rule as written in; an amount out, evaluated as far as it can be before there is a tensor.

use super::number::{FANS, Scope, names_one_of};
use super::{path::single, setting};
use crate::lower::part::Range;
use crate::rule::Amount;
use svspec_syntax::ast::{Expr, ExprKind};

/// The amount of `what`, whose numbers lie in `range`; `None` after a diagnostic.
pub fn amount(scope: &mut Scope<'_>, what: &str, expr: &Expr, range: Range) -> Option<Amount> {
    if names_one_of(expr, &FANS, 0) {
        // Whether it lies in the range is known when there is a tensor.
        return by_fans(scope, expr);
    }
    let check = |scope: &mut Scope<'_>, value| setting::within(scope, what, value, expr.span, range);
    scope.per_layer(expr, |_| true, check).map(Amount::Known)
}

/// An expression in which a fan may stand; no deeper than the parser lets it be.
fn by_fans(scope: &mut Scope<'_>, expr: &Expr) -> Option<Amount> {
    if !names_one_of(expr, &FANS, 0) {
        return scope.per_layer(expr, |_| true, |_, value| Some(value)).map(Amount::Known);
    }
    match &expr.kind {
        ExprKind::Name(path) => match single(path)?.0.as_str() {
            "fan_in" => Some(Amount::FanIn),
            _ => Some(Amount::FanOut),
        },
        ExprKind::Group(inner) => by_fans(scope, inner),
        ExprKind::Negate(inner) => by_fans(scope, inner).map(|inner| Amount::Negated(Box::new(inner))),
        ExprKind::Binary { operator, left, right } => {
            let (left, right) = (by_fans(scope, left), by_fans(scope, right));
            Some(Amount::Binary(*operator, Box::new(left?), Box::new(right?)))
        }
        ExprKind::Call { callee, arguments } => {
            let (name, span) = single(callee)?;
            if !scope.is_function(&name, span, arguments.len()) {
                return None;
            }
            let arguments: Vec<Option<Amount>> =
                arguments.iter().map(|argument| by_fans(scope, argument)).collect();
            Some(Amount::Call(name, arguments.into_iter().collect::<Option<Vec<Amount>>>()?))
        }
        ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Record { .. } | ExprKind::Tuple(_) => {
            scope.per_layer(expr, |_| true, |_, value| Some(value)).map(Amount::Known)
        }
    }
}
