//! A lowered model and its rules in; a checked model out. And every fault of a program, of all its targets, in one list.

use crate::compile::analyse;
use crate::program::Program;
use crate::rules::Hits;
use crate::{CheckedModel, Model, ResolvedRule, Role, ScaleFacts, allow, lint, roles, rules};
use std::collections::BTreeSet;
use svspec_diagnostics::{Diagnostic, Sources};

/// Proves the roles and applies the rules. The model is sound only if no error is among the diagnostics.
pub(crate) fn check_model(
    model: Model,
    rules: &[ResolvedRule],
) -> (CheckedModel, Vec<Hits>, Vec<Diagnostic>) {
    let facts = roles::prove(&model);
    let mut findings = contradicted_roles(&model, &facts);
    let outcome = rules::apply(&model, &facts, rules);
    findings.extend(outcome.diagnostics);
    let texts = rules.iter().map(|rule| rule.text.clone()).collect();
    let checked = CheckedModel::assemble(model, facts, texts, outcome.assignments, outcome.groups);
    (checked, outcome.hits, findings)
}

/// Every fault and warning of the entry file's own targets, each once, in the order of the text.
pub fn check(program: &Program, sources: &Sources) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut reaches = Vec::new();
    let entry = program.files().last().map(|file| file.source);
    for target in program.targets() {
        let analysis = analyse(program, sources, &target);
        findings.extend(analysis.findings);
        // An imported rule may be meant for models that this file does not have.
        let own = |(rule, _): &(ResolvedRule, Hits)| Some(rule.text.span.source) == entry;
        reaches.push(analysis.reach.into_iter().filter(own).collect());
    }
    findings.extend(lint::rule_reach(&reaches));
    report(program, findings)
}

/// Names of findings that say that something is not there.
const ABSENCES: [&str; 15] = [
    "missing-logits",
    "missing-setting",
    "missing-stack",
    "parameter-without-decay",
    "placement-matches-nothing",
    "rule-matches-nothing",
    "unknown-base",
    "unknown-name",
    "unknown-part",
    "unknown-port",
    "unknown-selector",
    "unused-constant",
    "unused-layer",
    "unused-part",
    "undecayed-input-scale",
];

/// The findings to show: without those that a comment silences, nor those that follow from statements and blocks lost
/// to faults of syntax, which were reported when the program was loaded.
pub(crate) fn report(program: &Program, mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if program.is_broken() {
        findings.retain(|finding| !ABSENCES.contains(&finding.name));
    }
    in_order(allow::unsilenced(findings, &allow::allows(program)))
}

/// Sorted by place, each finding once. Of a lint that several targets share, the first is kept.
fn in_order(mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let place = |finding: &Diagnostic| {
        finding.primary.as_ref().map(|label| (label.span.source, label.span.start, label.span.end))
    };
    findings.sort_by_key(|finding| (place(finding), finding.name));
    let mut seen = BTreeSet::new();
    findings.retain(|finding| {
        let text = if lint::NAMES.contains(&finding.name) { String::new() } else { finding.message.clone() };
        seen.insert((place(finding), finding.name, text))
    });
    findings
}

fn contradicted_roles(model: &Model, facts: &[ScaleFacts]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (scale, facts) in model.scales.iter().zip(facts) {
        let Some((claimed, span)) = scale.asserted.filter(|(claimed, _)| *claimed != facts.role) else {
            continue;
        };
        let word = |role| match role {
            Role::Input => "input",
            Role::Output => "output",
        };
        let (claimed, proved) = (word(claimed), word(facts.role));
        let message = format!("`{}` is said to have role {claimed}, but its role is {proved}", scale.path);
        let mut finding =
            Diagnostic::error("role-contradicted", message).at(span, format!("claims role {claimed}"));
        for step in &facts.role_proof.steps {
            finding = finding.help(step.clone());
        }
        findings.push(finding.help(format!("write `scale({proved})`, or change what reads the vector")));
    }
    findings
}
