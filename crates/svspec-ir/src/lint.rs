//! A checked model in; warnings about choices that are legal and probably not meant, out. One file for each.

mod decayed_output_scale;
mod direct_scale_zero_init;
mod layer_not_recomputed;
mod loss_not_chunked;
mod magnitude_direction_decay;
mod muon_on_vocabulary;
mod one_plus_init;
mod replaced_optimizer;
mod rule_reach;
mod undecayed_input_scale;
mod window_beyond_context;

pub(crate) use replaced_optimizer::lint as replaced_optimizer;
pub(crate) use rule_reach::rule_reach;

use crate::param::ScalePart;
use crate::{Assignment, CheckedModel, ScaleFacts, ScaleVector};
use svspec_diagnostics::{Diagnostic, Span};

/// The names of the lints. In a file with several targets, one at a place speaks for all of them.
pub const NAMES: [&str; 11] = [
    "decayed-output-scale",
    "undecayed-input-scale",
    "one-plus-init",
    "direct-scale-zero-init",
    "layer-not-recomputed",
    "loss-not-chunked",
    "magnitude-direction-decay",
    "muon-on-vocabulary",
    "rule-matches-nothing",
    "rule-shadowed",
    "window-beyond-context",
];

/// Every warning of one model.
pub(crate) fn lints(checked: &CheckedModel) -> Vec<Diagnostic> {
    [
        decayed_output_scale::lint,
        undecayed_input_scale::lint,
        one_plus_init::lint,
        direct_scale_zero_init::lint,
        layer_not_recomputed::lint,
        loss_not_chunked::lint,
        magnitude_direction_decay::lint,
        muon_on_vocabulary::lint,
        window_beyond_context::lint,
    ]
    .iter()
    .flat_map(|lint| lint(checked))
    .collect()
}

/// One tensor of a scale vector.
#[derive(Clone, Copy)]
struct ScaleTensor<'a> {
    scale: &'a ScaleVector,
    facts: &'a ScaleFacts,
    part: ScalePart,
    assignment: &'a Assignment,
}

/// Every tensor of every scale vector, in the order of the assignments.
fn scale_tensors(checked: &CheckedModel) -> Vec<ScaleTensor<'_>> {
    let model = checked.model();
    let mut tensors = Vec::new();
    for assignment in checked.assignments() {
        let id = assignment.instance.param;
        let owner = model.scales.iter().zip(checked.facts()).find(|(scale, _)| scale.params.contains(&id));
        let part = model.params.get(id.0).and_then(|param| param.scale_part);
        if let (Some((scale, facts)), Some(part)) = (owner, part) {
            tensors.push(ScaleTensor { scale, facts, part, assignment });
        }
    }
    tensors
}

/// The distinct paths of vectors, in order.
fn paths<'a>(tensors: impl Iterator<Item = ScaleTensor<'a>>) -> Vec<&'a str> {
    let mut paths: Vec<&str> = Vec::new();
    for tensor in tensors {
        if !paths.contains(&tensor.scale.path.as_str()) {
            paths.push(&tensor.scale.path);
        }
    }
    paths
}

/// `` `a`, `b` and 3 more ``
fn some(paths: &[&str]) -> String {
    const SHOWN: usize = 4;
    let quoted: Vec<String> = paths.iter().take(SHOWN).map(|path| format!("`{path}`")).collect();
    let more = paths.len().saturating_sub(SHOWN);
    if more == 0 { quoted.join(", ") } else { format!("{} and {more} more", quoted.join(", ")) }
}

/// The place of a rule.
fn rule_span(checked: &CheckedModel, rule: usize) -> Option<Span> {
    checked.rules().get(rule).map(|rule| rule.span)
}

/// The rules that decide the decay of some tensor here, in order, each once.
fn decay_rules(tensors: &[ScaleTensor<'_>]) -> Vec<usize> {
    let mut rules: Vec<usize> = tensors.iter().filter_map(|tensor| tensor.assignment.decay_rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}
