//! A number that names `position` in, an expression of it out; every other number in it has its value.

use super::{Context, number_term};
use crate::arithmetic::FUNCTIONS;
use crate::resolve::number::Scope;
use crate::resolve::path::single;
use crate::{OfPosition, PerLayer};
use svspec_diagnostics::{Diagnostic, Span};
use svspec_syntax::ast::{Expr, ExprKind, Operator};

/// Whether an expression of numbers names the position: the word does, unless a setting is called so.
pub(super) fn is_named(scope: &Scope<'_>, expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Name(path) => {
            single(path).is_some_and(|(name, _)| name == "position" && !scope.is_known(&name))
        }
        ExprKind::Call { arguments, .. } => arguments.iter().any(|argument| is_named(scope, argument)),
        ExprKind::Group(inner) | ExprKind::Negate(inner) => is_named(scope, inner),
        ExprKind::Binary { left, right, .. } => is_named(scope, left) || is_named(scope, right),
        ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Record { .. } | ExprKind::Tuple(_) => false,
    }
}

/// The expression, with a finite value at every position of the context.
pub(super) fn of_position(scope: &mut Scope<'_>, context: &Context<'_>, expr: &Expr) -> Option<OfPosition> {
    let factor = expression(scope, context, expr)?;
    is_finite(scope, context, expr.span, &factor).then_some(factor)
}

/// `1 / factor`, finite at every position of the context.
pub(super) fn inverse(
    scope: &mut Scope<'_>,
    context: &Context<'_>,
    span: Span,
    factor: OfPosition,
) -> Option<OfPosition> {
    let sides = [OfPosition::Number(PerLayer::Uniform(1.0)), factor];
    let inverse = OfPosition::Operate(Operator::Divide, Box::new(sides));
    is_finite(scope, context, span, &inverse).then_some(inverse)
}

fn expression(scope: &mut Scope<'_>, context: &Context<'_>, expr: &Expr) -> Option<OfPosition> {
    if !is_named(scope, expr) {
        return number_term(scope, context, expr).map(OfPosition::Number);
    }
    match &expr.kind {
        ExprKind::Group(inner) => expression(scope, context, inner),
        ExprKind::Negate(inner) => {
            expression(scope, context, inner).map(|inner| OfPosition::Negate(Box::new(inner)))
        }
        ExprKind::Binary { operator, left, right } => {
            let left = expression(scope, context, left);
            let right = expression(scope, context, right);
            Some(OfPosition::Operate(*operator, Box::new([left?, right?])))
        }
        ExprKind::Call { callee, arguments } => {
            let (name, span) = single(callee)?;
            if !scope.is_function(&name, span, arguments.len()) {
                return None;
            }
            let (known, _) = FUNCTIONS.into_iter().find(|(known, _)| *known == name)?;
            let arguments: Vec<Option<OfPosition>> =
                arguments.iter().map(|argument| expression(scope, context, argument)).collect();
            Some(OfPosition::Call(known, arguments.into_iter().collect::<Option<_>>()?))
        }
        ExprKind::Name(_) => Some(OfPosition::Position),
        ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Record { .. } | ExprKind::Tuple(_) => None,
    }
}

fn is_finite(scope: &mut Scope<'_>, context: &Context<'_>, span: Span, factor: &OfPosition) -> bool {
    let Some(num_positions) = scope.lookup("context", span) else { return false };
    let layers: Vec<Option<usize>> = match context.layers {
        [] => vec![None],
        layers => layers.iter().copied().map(Some).collect(),
    };
    let mut places = layers
        .into_iter()
        .flat_map(|layer| (0..num_positions as usize).map(move |position| (layer, position)));
    let Some((_, position)) = places.find(|&(layer, position)| !factor.at(position, layer).is_finite())
    else {
        return true;
    };
    let message = format!("`{factor}` has no finite value at position {position}");
    scope.findings.push(
        Diagnostic::error("not-a-number", message)
              .at(span, "of the context's positions, from 0 on")
            .help("look for a division by zero, or the root or logarithm of what is not positive: `log(1 + position)`"),
    );
    false
}
