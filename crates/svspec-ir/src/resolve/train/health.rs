//! `on_non_finite`, `on_spike` and `on_dead_scale`: what a run does when something is wrong with it.

use super::assignment;
use crate::lower::part::Range;
use crate::resolve::number::Scope;
use crate::resolve::setting;
use crate::{Remedy, Spike};
use svspec_diagnostics::{Diagnostic, did_you_mean};
use svspec_syntax::ast::{Expr, ExprKind, Statement};

/// One of `remedies`, which not every fault has all of.
pub(super) fn remedy(scope: &mut Scope<'_>, what: &str, expr: &Expr, remedies: &[Remedy]) -> Option<Remedy> {
    let words: Vec<&'static str> = remedies.iter().map(|remedy| remedy.name()).collect();
    let word = setting::word(scope, what, expr, &words)?;
    remedies.iter().copied().find(|remedy| remedy.name() == word)
}

/// `skip`, or `skip { deviations = 8 }`.
pub(super) fn spike(scope: &mut Scope<'_>, expr: &Expr, usual: Spike) -> Option<Spike> {
    const REMEDIES: [Remedy; 4] = [Remedy::Log, Remedy::Stop, Remedy::Skip, Remedy::RollBack];
    let ExprKind::Record { name, body } = &expr.kind else {
        return remedy(scope, "on_spike", expr, &REMEDIES).map(|remedy| Spike { remedy, ..usual });
    };
    let Some(remedy) = REMEDIES.into_iter().find(|remedy| remedy.name() == name.text) else {
        let words = REMEDIES.map(Remedy::name);
        let message = format!("`on_spike` is `log` or `stop` or `skip` or `roll_back`, not `{}`", name.text);
        let mut finding = Diagnostic::error("unknown-value", message).at(name.span, "unknown here");
        if let Some(close) = did_you_mean(&name.text, words) {
            finding = finding.help(format!("did you mean `{close}`?"));
        }
        scope.findings.push(finding.help("write `on_spike = skip { deviations = 6 }`"));
        return None;
    };
    let mut spike = Spike { remedy, ..usual };
    for statement in &body.statements {
        spike.deviations = deviations(scope, statement)?;
    }
    Some(spike)
}

fn deviations(scope: &mut Scope<'_>, statement: &Statement) -> Option<f64> {
    let given = assignment(statement);
    if let Some((name, _, value)) = &given
        && name == "deviations"
    {
        return setting::real(scope, "deviations", value, Range::Positive);
    }
    let message = "between the braces of `on_spike` stands only how far the loss is above its running mean";
    let span = given.map_or(statement.span, |(_, span, _)| span);
    scope.findings.push(
        Diagnostic::error("unknown-setting", message)
            .at(span, "unknown")
            .help("write `deviations = 6`, in standard deviations"),
    );
    None
}
