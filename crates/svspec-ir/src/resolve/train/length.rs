//! A stretch of training as written, in steps, tokens or a share of the run, in; steps out.

use super::{LONGEST, amount};
use crate::lower::part::Range;
use crate::resolve::number::Scope;
use crate::resolve::setting;
use svspec_syntax::ast::{Expr, ExprKind, Unit};

/// What stretches are measured by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Optimizer steps.
    pub(super) steps: u64,
    /// Tokens in each.
    pub(super) tokens_per_step: u64,
}

/// The steps from one event to the next: a share of the run is at least one step, a number that is written is too.
pub(super) fn interval(scope: &mut Scope<'_>, what: &str, expr: &Expr, run: Run) -> Option<u64> {
    let every = steps(scope, what, expr, run)?;
    if let ExprKind::Number(number) = &expr.kind
        && number.value > 0.0
    {
        return Some(every.max(1));
    }
    setting::whole(scope, what, every as f64, expr.span, LONGEST).map(|steps| steps as u64)
}

/// A number of steps: plain or in steps; a percentage of all of them; tokens, rounded up to whole steps.
pub(super) fn steps(scope: &mut Scope<'_>, what: &str, expr: &Expr, run: Run) -> Option<u64> {
    if let ExprKind::Number(number) = &expr.kind {
        match number.unit {
            Some(Unit::Percent) => {
                let share = setting::within(scope, what, number.value, expr.span, Range::UpToOne)?;
                return Some((share * run.steps as f64).round() as u64);
            }
            Some(Unit::Tokens) => {
                let tokens = setting::whole(scope, what, number.value, expr.span, LONGEST)? as u64;
                return Some(tokens.div_ceil(run.tokens_per_step));
            }
            Some(Unit::Steps) | None => {}
        }
    }
    let (value, _) = amount(scope, expr, Unit::Steps)?;
    let value = setting::within(scope, what, value, expr.span, Range::NotNegative)?;
    setting::whole(scope, what, value + 1.0, expr.span, LONGEST).map(|steps| steps as u64 - 1)
}
