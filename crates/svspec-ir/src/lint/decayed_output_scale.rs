//! `decayed-output-scale`: weight decay on a vector that something other than a linear map reads.

use super::{decay_rules, paths, rule_span, scale_tensors, some};
use crate::{CheckedModel, Role};
use svspec_diagnostics::Diagnostic;

/// One warning for each rule that decays such vectors.
pub fn lint(checked: &CheckedModel) -> Vec<Diagnostic> {
    let mut tensors = scale_tensors(checked);
    tensors.retain(|tensor| tensor.facts.role == Role::Output && tensor.assignment.decay != 0.0);
    let mut findings = Vec::new();
    for rule in decay_rules(&tensors) {
        let Some(span) = rule_span(checked, rule) else { continue };
        let here = tensors.iter().copied().filter(|tensor| tensor.assignment.decay_rule == Some(rule));
        let paths = paths(here);
        let is_are = if paths.len() == 1 {
            "has role output and is decayed"
        } else {
            "have role output and are decayed"
        };
        findings.push(
            Diagnostic::warning("decayed-output-scale", format!("{} {is_are}", some(&paths)))
                .at(span, "decided by this rule")
                .help("add after it: `decay 0 on scale where role == output`")
                .help("an Output-Norm's vector is harmed by decay, an Input-Norm's is helped (arXiv 2605.26895)"),
        );
    }
    findings
}
