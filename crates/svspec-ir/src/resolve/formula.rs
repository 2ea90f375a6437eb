//! The right side of an equation in; a formula over values, with every number folded and every name known, out.

mod composite;
mod function;
mod position;

use super::draft::Given;
use super::number::{self, NUMERIC_SETTINGS, Scope};
use super::resolved::{Formula, FormulaKind, Part};
use super::{list, path::single, setting};
use crate::arithmetic::FUNCTIONS;
use crate::lower;
use crate::lower::part::Takes;
use crate::{OfPosition, PerLayer};
use svspec_diagnostics::{Diagnostic, Span, did_you_mean};
use svspec_syntax::ast::{Expr, ExprKind, Operator};

/// No equation is nested deeper.
const DEEPEST: usize = 128;

/// What an equation may use.
pub struct Context<'c> {
    /// The parts.
    pub parts: &'c [Part],
    /// The layers in which the equation holds, by depth from 0; empty outside the stack.
    pub layers: &'c [usize],
    /// Names assigned by earlier equations, and `x` where there is one.
    pub names: Vec<String>,
    /// Whether `embed(tokens)` may stand here.
    pub region: Region,
}

/// Where an equation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// `x = …` of the model.
    Embed,
    /// A layer.
    Layer,
    /// `logits = …`
    Head,
}

/// A side of an operator: a number or a value.
enum Term {
    Number(PerLayer),
    OfPosition(OfPosition),
    Value(Formula),
}

/// The value of an expression.
pub fn formula(scope: &mut Scope<'_>, context: &Context<'_>, expr: &Expr) -> Option<Formula> {
    value(scope, context, expr, 0)
}

fn value(scope: &mut Scope<'_>, context: &Context<'_>, expr: &Expr, depth: usize) -> Option<Formula> {
    match term(scope, context, expr, depth)? {
        Term::Value(formula) => Some(formula),
        Term::Number(_) | Term::OfPosition(_) => {
            let message = format!(
                "`{}` is a number where a value of the data flow is expected",
                scope.quote(expr.span)
            );
            scope.findings.push(
                Diagnostic::error("not-a-value", message)
                    .at(expr.span, "a number")
                    .help("a number can only multiply or divide a value: write `2 * x` or `x / 2`"),
            );
            None
        }
    }
}

fn term(scope: &mut Scope<'_>, context: &Context<'_>, expr: &Expr, depth: usize) -> Option<Term> {
    if depth > DEEPEST {
        scope.findings.push(
            Diagnostic::error(
                "nested-too-deeply",
                format!("the equation is nested more than {DEEPEST} deep"),
            )
            .at(expr.span, "too deep from here on")
            .help("give an intermediate value a name in an equation of its own"),
        );
        return None;
    }
    let span = expr.span;
    if !holds_value(context, expr, 0) {
        if position::is_named(scope, expr) {
            return position::of_position(scope, context, expr).map(Term::OfPosition);
        }
        return number_term(scope, context, expr).map(Term::Number);
    }
    match &expr.kind {
        ExprKind::Group(inner) => term(scope, context, inner, depth + 1),
        ExprKind::Name(path) => {
            let (name, _) = single(path)?;
            if name == "tokens" {
                scope.findings.push(
                    Diagnostic::error("not-a-value", "`tokens` are ids, not numbers to compute with")
                        .at(span, "token ids")
                        .help("write `embed(tokens)`"),
                );
                return None;
            }
            Some(Term::Value(Formula { kind: FormulaKind::Name(name), span }))
        }
        ExprKind::Negate(inner) => {
            let inner = value(scope, context, inner, depth + 1)?;
            Some(Term::Value(gain(PerLayer::Uniform(-1.0), inner, span)))
        }
        ExprKind::Call { callee, arguments } => {
            let (name, name_span) = single(callee)?;
            call(scope, context, &name, name_span, arguments, span, depth).map(Term::Value)
        }
        ExprKind::Binary { operator, left, right } => {
            let a = term(scope, context, left, depth + 1);
            let b = term(scope, context, right, depth + 1);
            binary(scope, context, *operator, a?, b?, span).map(Term::Value)
        }
        ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Record { .. } | ExprKind::Tuple(_) => {
            let message = format!("`{}` cannot stand in an equation", scope.quote(span));
            scope.findings.push(
                Diagnostic::error("not-a-value", message)
                    .at(span, "not a value")
                    .help("an equation is made of values, parts, functions, `+`, `-`, `*` and numbers"),
            );
            None
        }
    }
}

/// A number; one that names `layer` has a value for each layer in which the equation holds.
fn number_term(scope: &mut Scope<'_>, context: &Context<'_>, expr: &Expr) -> Option<PerLayer> {
    if let ExprKind::Name(path) = &expr.kind
        && let Some((name, span)) = single(path)
        && !scope.is_known(&name)
    {
        unknown_value(scope, context, &name, span);
        return None;
    }
    match context.region {
        Region::Layer => {
            scope.per_layer(expr, |layer| context.layers.contains(&layer), |_, value| Some(value))
        }
        Region::Embed | Region::Head => scope.number(expr).map(PerLayer::Uniform),
    }
}

fn unknown_value(scope: &mut Scope<'_>, context: &Context<'_>, name: &str, span: Span) {
    let message = format!("nothing called `{name}` is known here");
    let mut finding = Diagnostic::error("unknown-name", message).at(span, "neither a value nor a number");
    if context.parts.iter().any(|part| part.name == name) {
        scope
            .findings
            .push(finding.help(format!("`{name}` is a part, to be applied to a value: write `{name}(x)`")));
        return;
    }
    let mut names: Vec<&str> = context.names.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let numbers = scope.draft.settings.keys().map(String::as_str).chain(NUMERIC_SETTINGS);
    if let Some(close) = did_you_mean(name, names.iter().copied().chain(numbers)) {
        finding = finding.help(format!("did you mean `{close}`?"));
    }
    scope.findings.push(match names.as_slice() {
        [] => finding.help("the residual stream starts as `embed(tokens)`"),
        names => finding.help(format!("values: {}; an equation above can name another", list(names))),
    });
}

fn gain(factor: PerLayer, inner: Formula, span: Span) -> Formula {
    Formula { kind: FormulaKind::Gain(factor, Box::new(inner)), span }
}

fn position_gain(factor: OfPosition, inner: Formula, span: Span) -> Formula {
    Formula { kind: FormulaKind::PositionGain(factor, Box::new(inner)), span }
}

/// `1 / factor` in the layers where the equation holds; `None` if the factor is 0, or nearly so, in one of them.
fn inverse(context: &Context<'_>, factor: &PerLayer) -> Option<PerLayer> {
    match factor {
        PerLayer::Uniform(value) => {
            Some(1.0 / value).filter(|value| value.is_finite()).map(PerLayer::Uniform)
        }
        PerLayer::Each(values) => {
            let inverses = values.iter().enumerate().map(|(layer, value)| {
                // Other layers were given 0, which means nothing.
                if context.layers.contains(&layer) { 1.0 / value } else { 0.0 }
            });
            let inverses: Vec<f64> = inverses.collect();
            inverses.iter().all(|value| value.is_finite()).then_some(PerLayer::Each(inverses))
        }
    }
}

fn binary(
    scope: &mut Scope<'_>,
    context: &Context<'_>,
    operator: Operator,
    a: Term,
    b: Term,
    span: Span,
) -> Option<Formula> {
    let what = match (operator, a, b) {
        (Operator::Multiply, Term::Number(factor), Term::Value(value))
        | (Operator::Multiply, Term::Value(value), Term::Number(factor)) => {
            return Some(gain(factor, value, span));
        }
        (Operator::Divide, Term::Value(value), Term::Number(factor)) => {
            if let Some(factor) = inverse(context, &factor) {
                return Some(gain(factor, value, span));
            }
            "a value divided by 0"
        }
        (Operator::Multiply, Term::OfPosition(factor), Term::Value(value))
        | (Operator::Multiply, Term::Value(value), Term::OfPosition(factor)) => {
            return Some(position_gain(factor, value, span));
        }
        (Operator::Divide, Term::Value(value), Term::OfPosition(factor)) => {
            return position::inverse(scope, context, span, factor)
                .map(|factor| position_gain(factor, value, span));
        }
        (Operator::Multiply, Term::Value(a), Term::Value(b)) => {
            return Some(Formula { kind: FormulaKind::Mul(Box::new(a), Box::new(b)), span });
        }
        (Operator::Add, Term::Value(a), Term::Value(b)) => {
            return Some(Formula { kind: FormulaKind::Add(Box::new(a), Box::new(b)), span });
        }
        (Operator::Subtract, Term::Value(a), Term::Value(b)) => {
            let b_span = b.span;
            let b = gain(PerLayer::Uniform(-1.0), b, b_span);
            return Some(Formula { kind: FormulaKind::Add(Box::new(a), Box::new(b)), span });
        }
        (Operator::Add | Operator::Subtract, _, _) => "a sum of a value and a number",
        (Operator::Divide, _, _) => "a division by a value",
        (Operator::Power, _, _) => "a power of a value",
        (
            Operator::Multiply,
            Term::Number(_) | Term::OfPosition(_),
            Term::Number(_) | Term::OfPosition(_),
        ) => "a product of numbers",
    };
    let message = format!("`{}` is {what}, which has no meaning in an equation", scope.quote(span));
    scope.findings.push(
        Diagnostic::error("not-a-value", message)
            .at(span, what)
            .help("values may be added, subtracted and multiplied; a value may be multiplied or divided by a number other than 0"),
    );
    None
}

fn call(
    scope: &mut Scope<'_>,
    context: &Context<'_>,
    name: &str,
    name_span: Span,
    arguments: &[Expr],
    span: Span,
    depth: usize,
) -> Option<Formula> {
    if name == "embed" {
        return embed(scope, context, name_span, arguments, span);
    }
    if let Some((index, part)) = context.parts.iter().enumerate().find(|(_, part)| part.name == name) {
        if name == "unembed" && context.region != Region::Head {
            scope.findings.push(
                Diagnostic::error(
                    "part-in-and-outside-layers",
                    "`unembed` makes the logits; it has no place elsewhere",
                )
                .at(name_span, "used outside `logits`")
                .help("declare a `linear` part for another linear map"),
            );
            return None;
        }
        let inputs = part.kind.inputs;
        if arguments.len() != inputs.len() {
            scope.findings.push(number::wrong_arguments(name, name_span, inputs, arguments.len()));
            return None;
        }
        if inputs == ["tokens"] {
            return tokens_part(scope, context, name, name_span, arguments)
                .map(|tokens| Formula { kind: FormulaKind::Part(index, vec![tokens]), span });
        }
        let values: Vec<Option<Formula>> =
            arguments.iter().map(|argument| value(scope, context, argument, depth + 1)).collect();
        let values = values.into_iter().collect::<Option<Vec<Formula>>>()?;
        if let Some(inner) = inner_part(scope, part) {
            let argument = values.into_iter().next()?;
            return around(scope, context, index, argument, inner, depth);
        }
        return Some(Formula { kind: FormulaKind::Part(index, values), span });
    }
    if let Some(&composite) = scope.draft.composites.get(name) {
        return composite::apply(scope, context, composite, (name, name_span), arguments, span, depth);
    }
    if let Some(callee) = function::named(name) {
        return function::call(scope, context, (callee, name, name_span), arguments, span, depth);
    }
    // A part that is declared but at fault was reported there.
    if scope.draft.parts.iter().any(|declared| declared.name.text == name)
        || scope.draft.faulty.contains(&name)
    {
        return None;
    }
    unknown_call(scope, name, name_span);
    None
}

/// The part that `part` applies within itself, and where it is named.
fn inner_part(scope: &Scope<'_>, part: &Part) -> Option<(String, Span)> {
    let named = part.kind.settings.iter().find(|setting| matches!(setting.takes, Takes::Part))?;
    match scope.draft.settings.get(&format!("{}.{}", part.name, named.name))?.given {
        Given::Value(expr) if setting::is_none(expr) => None,
        Given::Value(Expr { kind: ExprKind::Name(path), .. }) => single(path),
        Given::Value(_) | Given::Present => None,
    }
}

/// A part applied around another.
fn around(
    scope: &mut Scope<'_>,
    context: &Context<'_>,
    part: usize,
    argument: Formula,
    (inner, inner_span): (String, Span),
    depth: usize,
) -> Option<Formula> {
    let span = argument.span;
    let outer = context.parts.get(part)?;
    let given = format!("{}.tokens", outer.name);
    if inner == outer.name {
        scope.findings.push(
            Diagnostic::error("part-cycle", format!("`{inner}` would be made of itself"))
                .at(inner_span, "the part that names it")
                .help("name another part"),
        );
        return None;
    }
    let names = vec![given.clone()];
    let within = Context { names, ..*context };
    let path = super::path::of(&given, inner_span);
    let argument_within = [Expr { kind: ExprKind::Name(path), span: inner_span }];
    let applied = call(scope, &within, &inner, inner_span, &argument_within, inner_span, depth + 1)?;
    let (argument, inner) = (Box::new(argument), Box::new(applied));
    Some(Formula { kind: FormulaKind::Around { part, argument, given, inner }, span })
}

fn unknown_call(scope: &mut Scope<'_>, name: &str, span: Span) {
    let parts: Vec<&str> = scope.draft.part_names().chain(["unembed"]).collect();
    if FUNCTIONS.iter().any(|(known, _)| *known == name) {
        scope.findings.push(
            Diagnostic::error(
                "unknown-function",
                format!("`{name}` is a function of numbers, not of values"),
            )
            .at(span, "given a value")
            .help(format!("functions of values: {}", list(&lower::function::names()))),
        );
        return;
    }
    let functions = lower::function::names();
    let close = did_you_mean(name, parts.iter().chain(&functions).copied());
    let looks_like_function = close.is_some_and(|close| functions.contains(&close));
    let name_of = if looks_like_function { "unknown-function" } else { "unknown-part" };
    let mut finding =
        Diagnostic::error(name_of, format!("no part or function is called `{name}`")).at(span, "unknown");
    if let Some(close) = close {
        finding = finding.help(format!("did you mean `{close}`?"));
    }
    scope.findings.push(finding.help(format!("parts: {}", list(&parts))));
}

fn embed(
    scope: &mut Scope<'_>,
    context: &Context<'_>,
    name_span: Span,
    arguments: &[Expr],
    span: Span,
) -> Option<Formula> {
    if context.region != Region::Embed {
        scope.findings.push(
            Diagnostic::error("part-in-and-outside-layers", "`embed` makes the residual stream from the tokens, before the layers")
                .at(name_span, "used elsewhere")
                .help("inside a layer and in `logits`, the residual stream is `x`; its start is `x = embed(tokens)` in the model"),
        );
        return None;
    }
    let [argument] = arguments else {
        scope.findings.push(number::wrong_arguments("embed", name_span, &["tokens"], arguments.len()));
        return None;
    };
    token_ids(scope, "embed", argument).map(|_| Formula { kind: FormulaKind::Embed, span })
}

/// The argument of a part that reads token ids.
fn tokens_part(
    scope: &mut Scope<'_>,
    context: &Context<'_>,
    name: &str,
    name_span: Span,
    arguments: &[Expr],
) -> Option<Formula> {
    if context.region != Region::Embed {
        let message = format!("`{name}` reads the tokens, which only the equation of the embedding has");
        scope.findings.push(
            Diagnostic::error("part-in-and-outside-layers", message)
                .at(name_span, "used elsewhere")
                .help(format!("use it in the model's equation: `x = embed(tokens) + {name}(tokens)`")),
        );
        return None;
    }
    arguments.first().and_then(|argument| token_ids(scope, name, argument))
}

/// `tokens`, where only these may stand.
fn token_ids(scope: &mut Scope<'_>, reader: &str, argument: &Expr) -> Option<Formula> {
    if let ExprKind::Name(path) = &argument.kind
        && let Some((name, _)) = single(path)
        && name == "tokens"
    {
        return Some(Formula { kind: FormulaKind::Name(name), span: argument.span });
    }
    let message = format!("`{reader}` looks up `tokens`, not `{}`", scope.quote(argument.span));
    scope.findings.push(
        Diagnostic::error("not-a-value", message)
            .at(argument.span, "not token ids")
            .help(format!("write `{reader}(tokens)`")),
    );
    None
}

/// Whether an expression holds a value of the data flow, rather than only numbers. What is unknown counts as a number
/// where it is a name, so that numbers' messages apply, and as a value where it is called.
fn holds_value(context: &Context<'_>, expr: &Expr, depth: usize) -> bool {
    if depth > DEEPEST {
        return true;
    }
    match &expr.kind {
        ExprKind::Name(path) => {
            single(path).is_some_and(|(name, _)| name == "tokens" || context.names.contains(&name))
        }
        ExprKind::Call { callee, arguments } => {
            let is_number =
                single(callee).is_some_and(|(name, _)| FUNCTIONS.iter().any(|(known, _)| *known == name));
            !is_number || arguments.iter().any(|argument| holds_value(context, argument, depth + 1))
        }
        ExprKind::Group(inner) | ExprKind::Negate(inner) => holds_value(context, inner, depth + 1),
        ExprKind::Binary { left, right, .. } => {
            holds_value(context, left, depth + 1) || holds_value(context, right, depth + 1)
        }
        ExprKind::String(_) | ExprKind::Record { .. } | ExprKind::Tuple(_) => true,
        ExprKind::Number(_) => false,
    }
}
