//! Tensors that rules give to Muon and that are no matrices, as diagnostics: one per rule and reason.

use crate::rule::ResolvedRule;
use crate::{Algorithm, Assignment, Matrices, Model, Param, ParamKind};
use svspec_diagnostics::Diagnostic;

/// `muon-on-vector` and `muon-without-heads`.
pub(super) fn unfit(model: &Model, assignments: &[Assignment], rules: &[ResolvedRule]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let of_rule = assignments.iter().filter(|assignment| assignment.algorithm_rule == Some(index));
        let mut vectors: Vec<&Param> = Vec::new();
        let mut headless: Vec<&Param> = Vec::new();
        for assignment in of_rule {
            let (Algorithm::Muon(split), Some(param)) =
                (assignment.algorithm, model.params.get(assignment.instance.param.0))
            else {
                continue;
            };
            let list = if is_vector(param) {
                &mut vectors
            } else if Matrices::of(param, split).is_none() {
                &mut headless
            } else {
                continue;
            };
            if !list.iter().any(|known| known.path == param.path) {
                list.push(param);
            }
        }
        findings.extend(on_vectors(&vectors, rule));
        findings.extend(without_heads(&headless, rule));
    }
    findings
}

/// Whether the tensor is one, or has no two axes to be a matrix with.
fn is_vector(param: &Param) -> bool {
    match param.kind {
        ParamKind::Scale | ParamKind::Bias | ParamKind::Correction => true,
        ParamKind::Weight | ParamKind::Router | ParamKind::Embedding => {
            let whole = Matrices::of(param, crate::Split::Whole).unwrap_or(Matrices::PLAIN);
            let (out, num_in) = whole.shape(param);
            out == 1 || num_in == 1
        }
    }
}

fn on_vectors(vectors: &[&Param], rule: &ResolvedRule) -> Option<Diagnostic> {
    let first = vectors.first()?;
    let message = format!("{} is no matrix{}", shown(first), more(vectors, "nor is", "nor are"));
    // Kinds that hold nothing else are named by their words, a weight of one row by its path.
    let mut selectors: Vec<&str> = Vec::new();
    for param in vectors {
        let selector = match param.kind {
            ParamKind::Scale => "scale",
            ParamKind::Bias => "bias",
            ParamKind::Weight | ParamKind::Router | ParamKind::Embedding | ParamKind::Correction => {
                param.path.as_str()
            }
        };
        if !selectors.contains(&selector) {
            selectors.push(selector);
        }
    }
    Some(
        Diagnostic::error("muon-on-vector", message)
            .at(rule.text.span, "Muon makes matrices orthogonal")
            .because(first.span, format!("`{}` is made here", first.path))
            .help(format!("add after it: `use adamw on {}`", selectors.join(", "))),
    )
}

fn without_heads(headless: &[&Param], rule: &ResolvedRule) -> Option<Diagnostic> {
    let first = headless.first()?;
    let message = format!("{} has no heads{}", shown(first), more(headless, "nor has", "nor have"));
    let selectors: Vec<&str> = headless.iter().map(|param| param.path.as_str()).collect();
    Some(
        Diagnostic::error("muon-without-heads", message)
            .at(rule.text.span, "asks for a matrix of each head")
            .because(first.span, format!("`{}` is made here", first.path))
            .help(format!("add after it: `use muon on {}`", selectors.join(", "))),
    )
}

/// `` `attn.q.weight` [4, 32, 128] ``
fn shown(param: &Param) -> String {
    let sizes: Vec<String> = param.dims.iter().map(|dim| dim.size.to_string()).collect();
    format!("`{}` [{}]", param.path, sizes.join(", "))
}

/// What is said of the others: `, nor is 1 more`, `, nor are 3 more`.
fn more(params: &[&Param], one: &str, several: &str) -> String {
    match params.len().saturating_sub(1) {
        0 => String::new(),
        1 => format!(", {one} 1 more"),
        number => format!(", {several} {number} more"),
    }
}
