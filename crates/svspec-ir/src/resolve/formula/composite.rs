//! A part of a kind that a file defines, applied, in; its equations as a formula, and nothing left of the definition, out.

use super::{Context, value};
use crate::resolve::composite::{Composite, MOST_PARTS};
use crate::resolve::number::{self, Scope};
use crate::resolve::resolved::{Equation, Formula, FormulaKind};
use svspec_diagnostics::{Diagnostic, Span};
use svspec_syntax::ast::Expr;

/// A part of a kind that a file defines: its equations, with what it is applied to.
pub(super) fn apply(
    scope: &mut Scope<'_>,
    context: &Context<'_>,
    composite: &Composite,
    (name, name_span): (&str, Span),
    arguments: &[Expr],
    span: Span,
    depth: usize,
) -> Option<Formula> {
    if arguments.len() != composite.inputs.len() {
        let inputs: Vec<&str> = composite.input_names.iter().map(String::as_str).collect();
        scope.findings.push(number::wrong_arguments(name, name_span, &inputs, arguments.len()));
        return None;
    }
    scope.num_applied += 1;
    if scope.num_applied > MOST_PARTS {
        let message = format!("the equations apply parts of defined kinds more than {MOST_PARTS} times");
        scope.findings.push(
            Diagnostic::error("too-large", message)
                .at(name_span, "once too often")
                .help("look for definitions that apply one another several times"),
        );
        return None;
    }
    let mut equations = Vec::new();
    for (input, argument) in composite.inputs.iter().zip(arguments) {
        let formula = value(scope, context, argument, depth + 1);
        equations.push((input.clone(), formula, argument.span));
    }
    let mut inner = Context { names: composite.inputs.clone(), ..*context };
    for equation in &composite.equations {
        let formula = value(scope, &inner, &equation.value, depth + 1);
        inner.names.push(equation.name.clone());
        equations.push((equation.name.clone(), formula, equation.span));
    }
    let equations =
        equations.into_iter().map(|(name, formula, span)| Some(Equation { name, formula: formula?, span }));
    let mut equations = equations.collect::<Option<Vec<Equation>>>()?;
    let result = Box::new(equations.pop()?.formula);
    Some(Formula { kind: FormulaKind::Composite { name: name.to_owned(), equations, result }, span })
}
