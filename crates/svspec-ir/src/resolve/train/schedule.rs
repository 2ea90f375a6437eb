//! A schedule's expression in; the learning rate over time, its lengths in steps, out.

use super::{assignment, steps_of};
use crate::Schedule;
use crate::lower::part::Range;
use crate::resolve::number::Scope;
use crate::resolve::setting::{self, plain};
use crate::resolve::{list, path::single};
use svspec_diagnostics::{Diagnostic, did_you_mean};
use svspec_syntax::ast::{Expr, ExprKind, Statement};

/// The schedule of a run of `steps` steps; `None` after a diagnostic.
pub fn schedule(scope: &mut Scope<'_>, expr: &Expr, steps: u64) -> Option<Schedule> {
    let (name, statements): (String, &[Statement]) = match &expr.kind {
        ExprKind::Record { name, body } => (name.text.clone(), &body.statements),
        ExprKind::Name(path) => (single(path)?.0, &[]),
        ExprKind::Number(_)
        | ExprKind::String(_)
        | ExprKind::Call { .. }
        | ExprKind::Tuple(_)
        | ExprKind::Negate(_)
        | ExprKind::Binary { .. }
        | ExprKind::Group(_) => (scope.quote(expr.span), &[]),
    };
    let allowed: &[&str] = match name.as_str() {
        "wsd" => &["warmup", "decay", "floor"],
        "cosine" => &["warmup", "floor"],
        "constant" => &["warmup"],
        _ => {
            let names = ["wsd", "cosine", "constant"];
            let mut finding =
                Diagnostic::error("unknown-value", format!("there is no schedule called `{name}`"))
                    .at(expr.span, "unknown");
            if let Some(close) = did_you_mean(&name, names) {
                finding = finding.help(format!("did you mean `{close}`?"));
            }
            scope.findings.push(finding.help("write `wsd { warmup = 1%, decay = 20% }`, `cosine { warmup = 1%, floor = 0.1 }` or `constant`"));
            return None;
        }
    };
    let one_percent = steps.div_ceil(100);
    let (mut warmup, mut decay, mut floor) = match name.as_str() {
        "wsd" => (one_percent, (steps as f64 * 0.2).round() as u64, 0.0),
        "cosine" => (one_percent, 0, 0.1),
        _ => (0, 0, 0.0),
    };
    for statement in statements {
        let Some((setting, span, value)) = assignment(statement) else {
            scope.findings.push(
                Diagnostic::error("misplaced-statement", "only settings stand between a schedule's braces")
                    .at(statement.span, "not a setting")
                    .help(format!("settings of `{name}`: {}", list(allowed))),
            );
            return None;
        };
        match setting.as_str() {
            "warmup" if allowed.contains(&"warmup") => warmup = steps_of(scope, "warmup", value, steps)?,
            "decay" if allowed.contains(&"decay") => decay = steps_of(scope, "decay", value, steps)?,
            "floor" if allowed.contains(&"floor") => {
                floor = setting::real(scope, "floor", value, Range::UpToOne)?;
            }
            _ => {
                let mut finding = Diagnostic::error(
                    "unknown-setting",
                    format!("`{name}` has no setting called `{setting}`"),
                )
                .at(span, "unknown");
                if let Some(close) = did_you_mean(&setting, allowed.iter().copied()) {
                    finding = finding.help(format!("did you mean `{close}`?"));
                }
                scope.findings.push(finding.help(format!("settings of `{name}`: {}", list(allowed))));
                return None;
            }
        }
    }
    if warmup + decay > steps {
        let message = format!(
            "{warmup} steps of warm-up and {decay} of decay are more than the {steps} steps of the run"
        );
        scope.findings.push(
            Diagnostic::error("out-of-range", message)
                .at(expr.span, format!("{} steps", plain((warmup + decay) as f64)))
                .help("shorten one of them, or train for longer"),
        );
        return None;
    }
    Some(match name.as_str() {
        "wsd" => Schedule::Wsd { warmup, decay, floor },
        "cosine" => Schedule::Cosine { warmup, floor },
        _ => Schedule::Constant { warmup },
    })
}
