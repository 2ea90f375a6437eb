//! `muon-on-vocabulary`: Muon on the embedding table or the head's matrix, an axis of which is token ids.

use super::{rule_span, some};
use crate::{Algorithm, CheckedModel};
use svspec_diagnostics::Diagnostic;

/// One warning for each rule that gives such tensors to Muon.
pub fn lint(checked: &CheckedModel) -> Vec<Diagnostic> {
    let mut found: Vec<(usize, Vec<&str>)> = Vec::new();
    for assignment in checked.assignments() {
        let (Algorithm::Muon(_), Some(rule)) = (assignment.algorithm, assignment.algorithm_rule) else {
            continue;
        };
        let Some(param) = checked.model().params.get(assignment.instance.param.0) else { continue };
        if !param.dims.iter().any(|dim| dim.name == "vocab") {
            continue;
        }
        match found.iter_mut().find(|(known, _)| *known == rule) {
            Some((_, paths)) => paths.push(&param.path),
            None => found.push((rule, vec![&param.path])),
        }
    }
    found
        .into_iter()
        .filter_map(|(rule, paths)| {
            let has_have = if paths.len() == 1 { "has" } else { "have" };
            let message = format!("{} {has_have} an axis of token ids and {} stepped by Muon", some(&paths), if paths.len() == 1 { "is" } else { "are" });
            Some(
                Diagnostic::warning("muon-on-vocabulary", message)
                    .at(rule_span(checked, rule)?, "decided by this rule")
                    .help(format!("add after it: `use adamw on {}`", paths.join(", ")))
                    .help("rows of rare tokens would move as far as those of common ones; Muon's authors leave both matrices to AdamW"),
            )
        })
        .collect()
}
