//! `one-plus-init`: `γ = 1 + α` whose α starts at 1, so that γ starts at 2.

use super::{paths, rule_span, scale_tensors, some};
use crate::{CheckedModel, Init, ScaleForm};
use svspec_diagnostics::Diagnostic;

/// One warning for each init rule that does so.
pub fn lint(checked: &CheckedModel) -> Vec<Diagnostic> {
    let mut tensors = scale_tensors(checked);
    tensors.retain(|tensor| {
        tensor.scale.form == ScaleForm::OnePlus && tensor.assignment.init == Init::Constant(1.0)
    });
    let mut rules: Vec<usize> = tensors.iter().filter_map(|tensor| tensor.assignment.init_rule).collect();
    rules.sort_unstable();
    rules.dedup();
    let mut findings = Vec::new();
    for rule in rules {
        let Some(span) = rule_span(checked, rule) else { continue };
        let paths = paths(tensors.iter().copied().filter(|tensor| tensor.assignment.init_rule == Some(rule)));
        let message = format!("{} would start at γ = 1 + 1 = 2", some(&paths));
        findings.push(
            Diagnostic::warning("one-plus-init", message)
                .at(span, "sets the parameter, not γ")
                .help("in the form `one_plus` the parameter is γ - 1: leave it at its default of 0, or write `init zeros`"),
        );
    }
    findings
}
