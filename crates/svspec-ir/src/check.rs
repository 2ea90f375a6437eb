//! A lowered model and its rules in; a checked model out. And every fault of a program, of all its targets, in one list.

use crate::compile::analyse;
use crate::program::{Block, Program};
use crate::rules::Hits;
use crate::{CheckedModel, Model, ResolvedRule, Role, ScaleFacts, allow, lint, roles, rules};
use std::collections::BTreeSet;
use svspec_diagnostics::{Diagnostic, Severity, Sources};

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
    let mut found = Vec::new();
    let mut reaches = Vec::new();
    let entry = program.files().last().map(|file| file.source);
    let allows = allow::allows(program);
    for target in program.targets() {
        let analysis = analyse(program, sources, &target);
        let variant = program.block(&target).filter(|block| block.base.is_some());
        found.extend(
            allow::unsilenced(analysis.findings, &allows)
                .into_iter()
                .map(|finding| Found { variant, finding }),
        );
        // An imported rule may be meant for models that this file does not have.
        let own = |(rule, _): &(ResolvedRule, Hits)| Some(rule.text.span.source) == entry;
        reaches.push(analysis.reach.into_iter().filter(own).collect());
    }
    let mut of_file = lint::rule_reach(&reaches);
    of_file.extend(lint::replaced_optimizer(program, sources));
    let of_file = allow::unsilenced(of_file, &allows);
    found.extend(of_file.into_iter().map(|finding| Found { variant: None, finding }));
    in_order(found.into_iter().filter(|found| tells_more(program, &found.finding)).collect())
}

/// A finding, and the variant in which it was found.
struct Found<'p> {
    variant: Option<Block<'p>>,
    finding: Diagnostic,
}

/// Names of findings that say that something is not there.
const ABSENCES: [&str; 17] = [
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
    "unknown-tensor",
    "unused-constant",
    "unused-layer",
    "unused-part",
    "unused-value",
    "undecayed-input-scale",
];

/// Whether a finding says more than that statements and blocks were lost to faults of syntax or of imports, which were
/// reported when the program was loaded.
fn tells_more(program: &Program, finding: &Diagnostic) -> bool {
    !program.is_broken() || !ABSENCES.contains(&finding.name)
}

/// The findings of one target to show: without those that a comment silences, nor those that follow from what is lost.
pub(crate) fn report(program: &Program, findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let shown = allow::unsilenced(findings, &allow::allows(program)).into_iter();
    let shown = shown.filter(|finding| tells_more(program, finding));
    in_order(shown.map(|finding| Found { variant: None, finding }).collect())
}

/// The findings of one target that has no meaning: as `report`, but what follows from what is lost rather than nothing.
pub(crate) fn faults(program: &Program, findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let shown = report(program, findings.clone());
    if shown.iter().any(|finding| finding.severity == Severity::Error) {
        return shown;
    }
    in_order(findings.into_iter().map(|finding| Found { variant: None, finding }).collect())
}

/// Sorted by place, each finding once, with the variant that it comes from where that is not plain from its place. A lint
/// that several targets share is one finding.
fn in_order(mut all: Vec<Found<'_>>) -> Vec<Diagnostic> {
    let place = |finding: &Diagnostic| {
        finding.primary.as_ref().map(|label| (label.span.source, label.span.start, label.span.end))
    };
    all.sort_by_key(|found| (place(&found.finding), found.finding.name));
    let mut seen = BTreeSet::new();
    let mut kept: Vec<(Found<'_>, Vec<Found<'_>>)> = Vec::new();
    for found in all {
        if !seen.insert((place(&found.finding), found.finding.name, found.finding.message.clone())) {
            continue;
        }
        let same = |known: &Found<'_>| {
            (place(&known.finding), known.finding.name) == (place(&found.finding), found.finding.name)
        };
        match kept.last_mut().filter(|(first, _)| lint::NAMES.contains(&found.finding.name) && same(first)) {
            Some((_, others)) => others.push(found),
            None => kept.push((found, Vec::new())),
        }
    }
    kept.into_iter().map(|(first, others)| told(first, &others)).collect()
}

/// A finding, with what the same lint says of other variants.
fn told(first: Found<'_>, others: &[Found<'_>]) -> Diagnostic {
    const SHOWN: usize = 3;
    let mut finding = first.finding;
    if let (Some(variant), Some(label)) = (first.variant, finding.primary.clone())
        && !variant.holds(label.span)
        && finding.secondary.iter().all(|label| label.span != variant.name.span)
    {
        finding = finding.because(variant.name.span, "found in this variant");
    }
    for other in others.iter().take(SHOWN) {
        let variant =
            other.variant.map_or_else(String::new, |variant| format!("in `{}`: ", variant.name.text));
        finding = finding.help(format!("{variant}{}", other.finding.message));
    }
    match others.len().saturating_sub(SHOWN) {
        0 => finding,
        more => finding.help(format!("and likewise in {more} more")),
    }
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
