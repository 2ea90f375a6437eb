//! `magnitude-direction-decay`: weight decay on α of `γ = β · α / RMS(α)`, which γ does not feel.

use super::{decay_rules, paths, rule_span, scale_tensors, some};
use crate::param::ScalePart;
use crate::{CheckedModel, ScaleForm};
use svspec_diagnostics::Diagnostic;

/// One warning for each rule that decays such directions.
pub fn lint(checked: &CheckedModel) -> Vec<Diagnostic> {
    let mut tensors = scale_tensors(checked);
    tensors.retain(|tensor| {
        tensor.scale.form == ScaleForm::MagnitudeDirection
            && tensor.part == ScalePart::Direction
            && tensor.assignment.decay != 0.0
    });
    let mut findings = Vec::new();
    for rule in decay_rules(&tensors) {
        let Some(span) = rule_span(checked, rule) else { continue };
        let paths =
            paths(tensors.iter().copied().filter(|tensor| tensor.assignment.decay_rule == Some(rule)));
        let message =
            format!("decay on the direction of {} only raises its effective learning rate", some(&paths));
        findings.push(
            Diagnostic::warning("magnitude-direction-decay", message)
                .at(span, "decided by this rule")
                .help("γ does not change with the direction's length; add after it: `decay 0 on scale where part == direction`"),
        );
    }
    findings
}
