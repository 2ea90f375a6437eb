//! `undecayed-input-scale`: no weight decay on any part of a vector that only linear maps read.

use super::{decay_rules, paths, rule_span, scale_tensors, some};
use crate::{CheckedModel, ParamKind, Role};
use svspec_diagnostics::Diagnostic;

/// One warning for each rule that leaves such vectors without decay. A model that decays no weight either has made
/// another choice, and is left alone.
pub fn lint(checked: &CheckedModel) -> Vec<Diagnostic> {
    let params = &checked.model().params;
    let decays_weights = checked.assignments().iter().any(|assignment| {
        let kind = params.get(assignment.instance.param.0).map(|param| param.kind);
        kind == Some(ParamKind::Weight) && assignment.decay != 0.0
    });
    if !decays_weights {
        return Vec::new();
    }
    let all = scale_tensors(checked);
    let decayed: Vec<(&str, Option<usize>)> = all
        .iter()
        .filter(|tensor| tensor.assignment.decay != 0.0)
        .map(|tensor| (tensor.scale.path.as_str(), tensor.assignment.instance.layer))
        .collect();
    let mut tensors = all.clone();
    tensors.retain(|tensor| {
        let vector = (tensor.scale.path.as_str(), tensor.assignment.instance.layer);
        tensor.facts.role == Role::Input && !decayed.contains(&vector)
    });
    let mut findings = Vec::new();
    for rule in decay_rules(&tensors) {
        let Some(span) = rule_span(checked, rule) else { continue };
        let here = tensors.iter().copied().filter(|tensor| tensor.assignment.decay_rule == Some(rule));
        let paths = paths(here);
        let is_are = if paths.len() == 1 {
            "has role input and is not decayed"
        } else {
            "have role input and are not decayed"
        };
        findings.push(
            Diagnostic::warning("undecayed-input-scale", format!("{} {is_are}", some(&paths)))
                .at(span, "decided by this rule")
                .help("add after it: `decay 0.1 on scale where role == input`")
                .help("an Input-Norm's vector and the weights that read it grow together unless both are decayed (arXiv 2605.26895)"),
        );
    }
    findings
}
