//! The pipeline: a program and a target's name in; a checked model and warnings, or every fault found, out.

use crate::program::Program;
use crate::rules::Hits;
use crate::{CheckedModel, ResolvedRule, check, lint, lower, resolve};
use svspec_diagnostics::{Diagnostic, Severity, Sources};

/// A model that code may be generated from, and what is still worth saying of it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The model.
    pub checked: CheckedModel,
    /// Warnings that no comment in the spec silences.
    pub warnings: Vec<Diagnostic>,
}

/// Compiles one model or variant, by any name visible from the entry file. Without a model there is at least one fault.
pub fn compile(program: &Program, sources: &Sources, target: &str) -> Result<Compiled, Vec<Diagnostic>> {
    let analysis = analyse(program, sources, target);
    match analysis.checked {
        Some(checked) => Ok(Compiled { checked, warnings: check::report(program, analysis.findings) }),
        None => Err(check::faults(program, analysis.findings)),
    }
}

/// All that is found out about one target.
pub(crate) struct Analysis {
    /// Errors and warnings, silenced or not.
    pub findings: Vec<Diagnostic>,
    /// The model, if there is no error.
    pub checked: Option<CheckedModel>,
    /// How far each rule reaches; empty if the rules could not be applied.
    pub reach: Vec<(ResolvedRule, Hits)>,
}

/// Runs every pass that the faults found so far leave meaning to.
pub(crate) fn analyse(program: &Program, sources: &Sources, target: &str) -> Analysis {
    let (resolved, mut findings) = resolve::resolve(program, sources, target);
    let Some(mut resolved) = resolved else { return Analysis { findings, checked: None, reach: Vec::new() } };
    // A kind of layer that the stack has not is lowered for its faults alone.
    let model = lower::lower(&resolved).and_then(|model| {
        if resolved.leave_out_unused_kinds() { lower::lower(&resolved) } else { Ok(model) }
    });
    let model = match model {
        Ok(model) => model,
        Err(faults) => {
            findings.extend(faults);
            return Analysis { findings, checked: None, reach: Vec::new() };
        }
    };
    let (checked, hits, faults) = check::check_model(model, &resolved.rules);
    findings.extend(faults);
    findings.extend(lint::lints(&checked));
    let is_faulty = findings.iter().any(|finding| finding.severity == Severity::Error);
    let reach = resolved.rules.into_iter().zip(hits).collect();
    Analysis { findings, checked: (!is_faulty).then_some(checked), reach }
}
