//! A function of values, applied, in; what it is, with its numbers, and the values that it is given, out.

use super::{Context, Region, value};
use crate::PerLayer;
use crate::lower::part::{self, Range};
use crate::resolve::number::{self, Scope};
use crate::resolve::resolved::{Formula, FormulaKind, Function};
use crate::resolve::setting::{self, LARGEST_COUNT};
use svspec_diagnostics::{Diagnostic, Span};
use svspec_syntax::ast::Expr;

/// Those that are no activations, with what each is given; an ellipsis stands for any number more.
const FUNCTIONS: [(&str, &[&str]); 7] = [
    ("softcap", &["x", "cap"]),
    ("clamp", &["x", "low", "high"]),
    ("delay", &["x", "tokens"]),
    ("slice", &["x", "start", "end"]),
    ("concat", &["a", "b", "…"]),
    ("split_heads", &["x", "heads"]),
    ("join_heads", &["x"]),
];

/// Every function's name.
pub(super) fn names() -> Vec<&'static str> {
    let activations = part::ACTIVATIONS.iter().map(|(name, _)| *name);
    activations.chain(FUNCTIONS.iter().map(|(name, _)| *name)).collect()
}

/// What the function of that name is given, if there is one.
pub(super) fn inputs(name: &str) -> Option<&'static [&'static str]> {
    let known = FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, inputs)| *inputs);
    known.or_else(|| part::activation(name).map(|_| &["x"][..]))
}

/// The function of that name with its arguments.
pub(super) fn call(
    scope: &mut Scope<'_>,
    context: &Context<'_>,
    (name, name_span): (&str, Span),
    inputs: &[&str],
    arguments: &[Expr],
    span: Span,
    depth: usize,
) -> Option<Formula> {
    let is_right = match inputs.split_last() {
        Some((&"…", least)) => arguments.len() >= least.len(),
        Some(_) | None => arguments.len() == inputs.len(),
    };
    if !is_right {
        scope.findings.push(number::wrong_arguments(name, name_span, inputs, arguments.len()));
        return None;
    }
    let num_values = if name == "concat" { arguments.len() } else { 1 };
    let (values, numbers) = arguments.split_at_checked(num_values)?;
    let values: Vec<Option<Formula>> =
        values.iter().map(|argument| value(scope, context, argument, depth + 1)).collect();
    let function = function(scope, context, name, numbers, span);
    let values = values.into_iter().collect::<Option<Vec<Formula>>>()?;
    Some(Formula { kind: FormulaKind::Call(function?, values), span })
}

fn function(
    scope: &mut Scope<'_>,
    context: &Context<'_>,
    name: &str,
    numbers: &[Expr],
    span: Span,
) -> Option<Function> {
    match (name, numbers) {
        ("softcap", [cap]) => {
            by_layer(scope, context, "softcap(x, cap)", cap, Range::Positive).map(Function::SoftCap)
        }
        ("clamp", [low, high]) => {
            let bounds =
                [low, high].map(|expr| by_layer(scope, context, "clamp(x, low, high)", expr, Range::Any));
            let [Some(low), Some(high)] = bounds else { return None };
            let first = context.layers.first().copied();
            let mut layers = context.layers.iter().copied().map(Some).chain([first]);
            if let Some(layer) = layers.find(|layer| low.at(*layer) >= high.at(*layer)) {
                let (below, above) = (low.at(layer), high.at(layer));
                let message = match (layer, low.uniform().and(high.uniform())) {
                    (Some(layer), None) => {
                        format!("where `layer` is {}, nothing lies between {below} and {above}", layer + 1)
                    }
                    (Some(_) | None, _) => format!("nothing lies between {below} and {above}"),
                };
                scope.findings.push(
                    Diagnostic::error("out-of-range", message)
                        .at(span, "the lower bound is not below the upper one")
                        .help("write the lower bound first: `clamp(x, -8, 8)`"),
                );
                return None;
            }
            Some(Function::Clamp([low, high]))
        }
        ("delay", [tokens]) => whole_by_layer(scope, context, tokens, |scope, value| {
            setting::whole(scope, "delay(x, tokens)", value, tokens.span, LARGEST_COUNT)
        })
        .map(Function::Delay),
        ("slice", [start, end]) => {
            let what = "slice(x, start, end)";
            let bounds = [start, end].map(|expr| {
                whole_by_layer(scope, context, expr, |scope, value| {
                    setting::whole_from_zero(scope, what, value, expr.span, LARGEST_COUNT)
                })
            });
            let [Some(from), Some(to)] = bounds else { return None };
            let mut layers =
                context.layers.iter().copied().map(Some).chain([context.layers.first().copied()]);
            if let Some(layer) = layers.find(|layer| from.at(*layer) >= to.at(*layer)) {
                let (first, last) = (from.at(layer), to.at(layer));
                let message = match (layer, from.uniform().and(to.uniform())) {
                    (Some(layer), None) => {
                        format!("where `layer` is {}, no channel lies between {first} and {last}", layer + 1)
                    }
                    (Some(_) | None, _) => format!("no channel lies between {first} and {last}"),
                };
                scope.findings.push(
                    Diagnostic::error("out-of-range", message)
                        .at(span, "the start is not below the end")
                        .help("channels are counted from 0, and the end is the first that is left out: `slice(x, 0, 16)`"),
                );
                return None;
            }
            Some(Function::Slice([from, to]))
        }
        ("concat", []) => Some(Function::Concat),
        ("split_heads", [heads]) => whole_by_layer(scope, context, heads, |scope, value| {
            setting::whole(scope, "split_heads(x, heads)", value, heads.span, LARGEST_COUNT)
        })
        .map(Function::SplitHeads),
        ("join_heads", []) => Some(Function::JoinHeads),
        (_, _) => part::activation(name).map(Function::Activation),
    }
}

/// A number beside the value.
fn by_layer(
    scope: &mut Scope<'_>,
    context: &Context<'_>,
    what: &str,
    expr: &Expr,
    range: Range,
) -> Option<PerLayer> {
    checked_by_layer(scope, context, expr, |scope, value| {
        setting::within(scope, what, value, expr.span, range)
    })
}

/// A whole number, of channels, heads or tokens: where it differs, so do the kinds of the layer.
fn whole_by_layer(
    scope: &mut Scope<'_>,
    context: &Context<'_>,
    expr: &Expr,
    check: impl Fn(&mut Scope<'_>, f64) -> Option<usize>,
) -> Option<PerLayer> {
    checked_by_layer(scope, context, expr, |scope, value| check(scope, value).map(|count| count as f64))
}

fn checked_by_layer(
    scope: &mut Scope<'_>,
    context: &Context<'_>,
    expr: &Expr,
    check: impl Fn(&mut Scope<'_>, f64) -> Option<f64>,
) -> Option<PerLayer> {
    match context.region {
        Region::Layer => scope.per_layer(expr, |layer| context.layers.contains(&layer), check),
        Region::Embed | Region::Head => {
            let value = scope.number(expr)?;
            check(scope, value).map(PerLayer::Uniform)
        }
    }
}
