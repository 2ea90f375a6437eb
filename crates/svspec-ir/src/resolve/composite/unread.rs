//! A definition in; warnings about inputs, settings and values in it that nothing reads out.

use super::definition::Definition;
use crate::resolve::draft::Given;
use crate::resolve::unused;
use std::collections::BTreeSet;
use svspec_diagnostics::Diagnostic;

/// Reports them.
pub fn report(definition: &Definition<'_>, findings: &mut Vec<Diagnostic>) {
    let mut named = BTreeSet::new();
    let mut later = Vec::new();
    for equation in definition.equations.iter().rev() {
        later.push((*equation, named.clone()));
        unused::names(equation.value, &mut named, 0);
    }
    // The last equation is the result.
    let unread = later.iter().skip(1).rev().filter(|(equation, read)| !read.contains(equation.name));
    for (equation, _) in unread {
        let message = format!("nothing reads this `{}`", equation.name);
        let finding = Diagnostic::warning("unused-value", message).at(equation.span, "computed for nothing");
        findings.push(finding.help(format!(
            "use `{}` in an equation below it, or remove it; the result of a part is its last equation",
            equation.name
        )));
    }
    for input in definition.written.inputs.iter().filter(|input| !named.contains(&input.text)) {
        findings.push(
            Diagnostic::warning("unused-value", format!("no equation reads the input `{}`", input.text))
                .at(input.span, "given for nothing")
                .help("use it in an equation, or leave it out"),
        );
    }
    for entry in definition.draft.settings.values() {
        match entry.given {
            Given::Value(expr) => unused::names(expr, &mut named, 0),
            Given::Present => {}
        }
    }
    for placement in &definition.draft.placements {
        for body in placement.form.terms.iter().filter_map(|term| term.body.as_ref()) {
            unused::names_in(body, &mut named, 0);
        }
    }
    for preset in definition.settings.iter().filter_map(|(_, preset)| *preset) {
        unused::names(preset, &mut named, 0);
    }
    for (setting, preset) in definition.settings.iter().filter(|(setting, _)| !named.contains(setting)) {
        findings.push(
            Diagnostic::warning("unused-constant", format!("nothing uses the setting `{setting}`"))
                .at(preset.map_or(definition.written.name.span, |preset| preset.span), "set for nothing")
                .help("use it in an equation, or as a setting of one of the parts, or leave it out"),
        );
    }
}
