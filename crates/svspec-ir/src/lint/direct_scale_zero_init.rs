//! `direct-scale-zero-init`: the plain vector of a norm that starts at 0, so that nothing passes.

use super::{paths, rule_span, scale_tensors, some};
use crate::{CheckedModel, Init, ScaleForm, Site};
use svspec_diagnostics::Diagnostic;

/// One warning for each place that says so: an init rule, or the placement of the vector.
pub fn lint(checked: &CheckedModel) -> Vec<Diagnostic> {
    let mut tensors = scale_tensors(checked);
    tensors.retain(|tensor| {
        tensor.scale.form == ScaleForm::Direct
            && tensor.scale.site == Site::Norm
            && tensor.assignment.init == Init::Constant(0.0)
    });
    let place = |tensor: &super::ScaleTensor<'_>| match tensor.assignment.init_rule {
        Some(rule) => rule_span(checked, rule),
        None => Some(tensor.scale.span),
    };
    let mut places: Vec<_> = tensors.iter().filter_map(place).collect();
    places.sort();
    places.dedup();
    let mut findings = Vec::new();
    for span in places {
        let paths = paths(tensors.iter().copied().filter(|tensor| place(tensor) == Some(span)));
        let start = if paths.len() == 1 { "starts" } else { "start" };
        findings.push(
            Diagnostic::warning("direct-scale-zero-init", format!("{} {start} at 0: the norm passes nothing on", some(&paths)))
                .at(span, "starts it at 0")
                .help("a zero init belongs to the form `one_plus`, where γ = 1 + 0; write `init ones`, or change the form"),
        );
    }
    findings
}
