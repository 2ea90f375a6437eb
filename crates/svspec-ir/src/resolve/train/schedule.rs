//! A schedule's expression in; a fraction over time, its lengths in steps, out.

use super::assignment;
use super::length::{self, Run};
use crate::lower::part::Range;
use crate::resolve::number::Scope;
use crate::resolve::setting::{self, plain};
use crate::resolve::{list, path::single};
use crate::{Schedule, Shape};
use svspec_diagnostics::{Diagnostic, did_you_mean};
use svspec_syntax::ast::{Expr, ExprKind, Statement};

/// Every schedule with its settings.
const KINDS: [(&str, &[&str]); 5] = [
    ("wsd", &["warmup", "decay", "floor", "shape"]),
    ("cosine", &["warmup", "floor"]),
    ("linear", &["warmup", "floor"]),
    ("constant", &["warmup"]),
    ("inverse_sqrt", &["warmup"]),
];

/// The settings of a schedule, not all of which each kind has.
struct Settings {
    warmup: u64,
    decay: u64,
    floor: f64,
    shape: Shape,
}

/// The schedule in a run; `warmup` is what holds if none is written, of all but `constant`. `None` after a diagnostic.
pub(super) fn schedule(scope: &mut Scope<'_>, expr: &Expr, run: Run, warmup: u64) -> Option<Schedule> {
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
    let Some((kind, allowed)) = KINDS.into_iter().find(|(kind, _)| *kind == name) else {
        unknown(scope, expr, &name);
        return None;
    };
    let mut settings = Settings {
        warmup: if kind == "constant" { 0 } else { warmup },
        decay: if kind == "wsd" { (run.steps as f64 * 0.2).round() as u64 } else { 0 },
        floor: if kind == "wsd" { 0.0 } else { 0.1 },
        shape: Shape::Linear,
    };
    for statement in statements {
        read(scope, statement, kind, allowed, run, &mut settings)?;
    }
    let Settings { warmup, decay, floor, shape } = settings;
    let steps = run.steps;
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
    Some(match kind {
        "wsd" => Schedule::Wsd { warmup, decay, floor, shape },
        "cosine" => Schedule::Cosine { warmup, floor },
        "linear" => Schedule::Linear { warmup, floor },
        "inverse_sqrt" => Schedule::InverseSqrt { warmup },
        _ => Schedule::Constant { warmup },
    })
}

fn read(
    scope: &mut Scope<'_>,
    statement: &Statement,
    kind: &str,
    allowed: &[&'static str],
    run: Run,
    settings: &mut Settings,
) -> Option<()> {
    let Some((setting, span, value)) = assignment(statement) else {
        scope.findings.push(
            Diagnostic::error("misplaced-statement", "only settings stand between a schedule's braces")
                .at(statement.span, "not a setting")
                .help(format!("settings of `{kind}`: {}", list(allowed))),
        );
        return None;
    };
    match allowed.iter().find(|allowed| **allowed == setting).copied() {
        Some("warmup") => settings.warmup = length::steps(scope, "warmup", value, run)?,
        Some("decay") => settings.decay = length::steps(scope, "decay", value, run)?,
        Some("floor") => settings.floor = setting::real(scope, "floor", value, Range::UpToOne)?,
        Some("shape") => {
            let word = setting::word(scope, "shape", value, &Shape::ALL.map(|(word, _)| word))?;
            let found = Shape::ALL.into_iter().find(|(known, _)| *known == word);
            settings.shape = found.map_or(settings.shape, |(_, shape)| shape);
        }
        Some(_) | None => {
            let message = format!("`{kind}` has no setting called `{setting}`");
            let mut finding = Diagnostic::error("unknown-setting", message).at(span, "unknown");
            if let Some(close) = did_you_mean(&setting, allowed.iter().copied()) {
                finding = finding.help(format!("did you mean `{close}`?"));
            }
            scope.findings.push(finding.help(format!("settings of `{kind}`: {}", list(allowed))));
            return None;
        }
    }
    Some(())
}

fn unknown(scope: &mut Scope<'_>, expr: &Expr, name: &str) {
    let names = KINDS.map(|(name, _)| name);
    let mut finding = Diagnostic::error("unknown-value", format!("there is no schedule called `{name}`"))
        .at(expr.span, "unknown");
    if let Some(help) = setting::without_quotes(expr, "", &names) {
        finding = finding.help(help);
    } else if let Some(close) = did_you_mean(name, names) {
        finding = finding.help(format!("did you mean `{close}`?"));
    }
    let example =
        "such as `wsd { warmup = 1%, decay = 20% }` or `cosine { warmup = 100 steps, floor = 0.1 }`";
    scope.findings.push(finding.help(format!("schedules: {}; {example}", list(&names))));
}
