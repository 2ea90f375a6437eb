//! Matrices that rules want at norm 1 from step 0 on and that start at 0, as diagnostics: one per rule.

use crate::rule::{ResolvedRule, Verb};
use crate::{Assignment, Init, Model, Param};
use svspec_diagnostics::Diagnostic;

/// `unit-of-zeros`.
pub(super) fn of_zeros(model: &Model, assignments: &[Assignment], rules: &[ResolvedRule]) -> Vec<Diagnostic> {
    let rules = rules.iter().enumerate().map(|(index, rule)| (Some(index), rule));
    let wanting = rules.filter(|(_, rule)| matches!(rule.verb, Verb::Unit(Some(_))));
    wanting
        .filter_map(|(index, rule)| {
            let zeros = assignments
                .iter()
                .filter(|assignment| assignment.unit_rule == index && is_zero(assignment.init));
            let zeros: Vec<(&Assignment, &Param)> = zeros
                .filter_map(|assignment| Some((assignment, model.params.get(assignment.instance.param.0)?)))
                .collect();
            finding(rule, &zeros)
        })
        .collect()
}

fn is_zero(init: Init) -> bool {
    let number = match init {
        Init::Normal { std } | Init::TruncatedNormal { std } => std,
        Init::Uniform { bound } => bound,
        Init::Constant(value) => value,
    };
    number.abs().total_cmp(&0.0).is_eq()
}

fn finding(rule: &ResolvedRule, zeros: &[(&Assignment, &Param)]) -> Option<Diagnostic> {
    let (_, first) = zeros.first()?;
    let mut paths: Vec<&str> = Vec::new();
    for (_, param) in zeros {
        if !paths.contains(&param.path.as_str()) {
            paths.push(&param.path);
        }
    }
    let more = match paths.len() {
        1 => String::new(),
        2 => ", and so does 1 more".to_owned(),
        number => format!(", and so do {} more", number - 1),
    };
    let paths = paths.join(", ");
    let message = format!("`{}` starts at 0, which has no norm to divide by{more}", first.path);
    Some(
        Diagnostic::error("unit-of-zeros", message)
            .at(rule.text.span, "wants norm 1 from step 0 on")
            .because(first.span, format!("`{}` is made here", first.path))
            .help(format!(
                "draw it, as by `init normal(0.02) on {paths}`, or add after it: `unit off on {paths}`"
            )),
    )
}
