//! A function of values, applied, in; what it is, with its numbers, and the values that it is given, out.

use super::{Context, Region, value};
use crate::lower::function::{self, Amount, Argument, Function, FunctionKind};
use crate::resolve::number::{self, Scope};
use crate::resolve::resolved::{Formula, FormulaKind};
use crate::resolve::setting::{self, LARGEST_COUNT};
use crate::{Activation, PerLayer};
use svspec_diagnostics::{Diagnostic, Span};
use svspec_syntax::ast::Expr;

/// A function, before it is given anything.
#[derive(Clone, Copy)]
pub(super) enum Callee {
    Activation(Activation),
    Other(&'static FunctionKind),
}

/// The function of that name.
pub(super) fn named(name: &str) -> Option<Callee> {
    let activation = Activation::named(name).map(Callee::Activation);
    activation.or_else(|| function::named(name).map(Callee::Other))
}

/// The function with its arguments.
pub(super) fn call(
    scope: &mut Scope<'_>,
    context: &Context<'_>,
    (callee, name, name_span): (Callee, &str, Span),
    arguments: &[Expr],
    span: Span,
    depth: usize,
) -> Option<Formula> {
    let (values, inputs) = match callee {
        Callee::Activation(_) => (&["x"][..], vec!["x"]),
        Callee::Other(kind) => (kind.values, kind.inputs()),
    };
    let num_values = match values.split_last() {
        Some((&"…", least)) => arguments.len().max(least.len()),
        Some(_) | None => values.len(),
    };
    let num_numbers = inputs.len() - values.len();
    if arguments.len() != num_values + num_numbers {
        scope.findings.push(number::wrong_arguments(name, name_span, &inputs, arguments.len()));
        return None;
    }
    let (values, numbers) = arguments.split_at_checked(num_values)?;
    let values: Vec<Option<Formula>> =
        values.iter().map(|argument| value(scope, context, argument, depth + 1)).collect();
    let function = match callee {
        Callee::Activation(activation) => Some(Function::Activation(activation)),
        Callee::Other(kind) => with_numbers(scope, context, kind, numbers, span),
    };
    let values = values.into_iter().collect::<Option<Vec<Formula>>>()?;
    Some(Formula { kind: FormulaKind::Call(function?, values), span })
}

fn with_numbers(
    scope: &mut Scope<'_>,
    context: &Context<'_>,
    kind: &'static FunctionKind,
    numbers: &[Expr],
    span: Span,
) -> Option<Function> {
    let given = kind.numbers.iter().zip(numbers);
    let numbers: Vec<Option<PerLayer>> =
        given.map(|(argument, expr)| by_layer(scope, context, &kind.shown(), argument, expr)).collect();
    let numbers = numbers.into_iter().collect::<Option<Vec<PerLayer>>>()?;
    if let (Some(bounds), [low, high]) = (&kind.bounds, numbers.as_slice()) {
        let first = context.layers.first().copied();
        let mut layers = context.layers.iter().copied().map(Some).chain([first]);
        if let Some(layer) = layers.find(|layer| low.at(*layer) >= high.at(*layer)) {
            let between = format!("{} lies between {} and {}", bounds.nothing, low.at(layer), high.at(layer));
            let message = match (layer, low.uniform().and(high.uniform())) {
                (Some(layer), None) => format!("where `layer` is {}, {between}", layer + 1),
                (Some(_) | None, _) => between,
            };
            scope
                .findings
                .push(Diagnostic::error("out-of-range", message).at(span, bounds.label).help(bounds.help));
            return None;
        }
    }
    Some(Function::Other { kind, numbers })
}

/// A number beside the values.
fn by_layer(
    scope: &mut Scope<'_>,
    context: &Context<'_>,
    what: &str,
    argument: &Argument,
    expr: &Expr,
) -> Option<PerLayer> {
    let check = |scope: &mut Scope<'_>, value: f64| match argument.takes {
        Amount::Number(range) => setting::within(scope, what, value, expr.span, range),
        Amount::Size => setting::whole(scope, what, value, expr.span, LARGEST_COUNT).map(|size| size as f64),
        Amount::SizeFromZero => {
            setting::whole_from_zero(scope, what, value, expr.span, LARGEST_COUNT).map(|size| size as f64)
        }
    };
    match context.region {
        Region::Layer => scope.per_layer(expr, |layer| context.layers.contains(&layer), check),
        Region::Embed | Region::Head => {
            let value = scope.number(expr)?;
            check(scope, value).map(PerLayer::Uniform)
        }
    }
}
