//! A model as lowered to the equations in its documentation: one per value that is more than a step on the way.

use super::region::live_values;
use crate::op::{self, Term};
use std::collections::BTreeMap;
use svspec_ir::op::Norm;
use svspec_ir::print::number::shortest;
use svspec_ir::{Model, Op, Region, RegionKind, ScaleForm, ValueId};

/// The lines of a `text` block.
pub fn lines(model: &Model) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, region) in model.regions.iter().enumerate() {
        let depths: Vec<usize> =
            model.stack.iter().enumerate().filter(|(_, id)| id.0 == index).map(|(depth, _)| depth).collect();
        match region.kind {
            RegionKind::Layer if depths.is_empty() => {}
            RegionKind::Layer => {
                lines.push(format!("{}, {} of {} layers:", region.name, depths.len(), model.stack.len()));
                lines.extend(equations(model, region).into_iter().map(|line| format!("    {line}")));
            }
            RegionKind::Embed | RegionKind::Head => lines.extend(equations(model, region)),
            RegionKind::Loss => {
                lines.extend(equations(model, region));
                lines.extend(minimised(region));
            }
        }
    }
    lines.extend(symbols(model));
    lines
}

/// What the symbols mean that these equations use.
fn symbols(model: &Model) -> Vec<String> {
    let has_norm = |wanted: Norm| {
        let mut nodes = model.regions.iter().flat_map(|region| &region.nodes);
        nodes.any(|node| matches!(&node.op, Op::Normalize(op) if op.norm == wanted))
    };
    let has_form = |wanted: ScaleForm| model.scales.iter().any(|scale| scale.form == wanted);
    let meanings = [
        (has_norm(Norm::Rms), "Norm(x) = x / sqrt(mean(x²) + eps)"),
        (has_norm(Norm::Layer), "LayerNorm(x) = (x − mean(x)) / sqrt(var(x) + eps)"),
        (has_form(ScaleForm::MagnitudeDirection), "OR[β, α] = β · α / RMS(α)"),
        (has_form(ScaleForm::ExpMagnitudeDirection), "ER[β, α] = exp(β) · exp(α − mean(α))"),
        (has_form(ScaleForm::Softplus), "softplus[α] = log(1 + exp(α))"),
    ];
    let used = meanings.into_iter().filter(|(is_used, _)| *is_used);
    used.map(|(_, meaning)| format!("where {meaning}")).collect()
}

fn equations(model: &Model, region: &Region) -> Vec<String> {
    let live = live_values(region);
    let mut terms: BTreeMap<ValueId, Term> = BTreeMap::new();
    let mut lines = Vec::new();
    for (index, node) in region.nodes.iter().enumerate() {
        let id = ValueId(index);
        if !live.contains(&id) {
            continue;
        }
        let inputs: Vec<Term> = node.inputs.iter().filter_map(|input| terms.get(input).cloned()).collect();
        let term = op::equation(model, node, &inputs);
        let is_result = id == region.output;
        // A dispatched value is the value.
        let is_inline = node.op.operation().is_step() && num_readers(region, id) == 1
            || matches!(node.op, Op::Input(_) | Op::Dispatch(_));
        if is_result || !is_inline {
            let name = if is_result { result_name(region) } else { &node.name };
            lines.push(format!("{name} = {}", term.text));
            terms.insert(id, Term::atom(name));
        } else {
            terms.insert(id, term);
        }
    }
    lines
}

/// The losses beside the cross-entropy, by what they count.
fn minimised(region: &Region) -> Option<String> {
    let name = |value: ValueId| region.nodes.get(value.0).map_or("", |node| node.name.as_str());
    let side =
        region.losses.iter().map(|side| format!(" + {} · {}", shortest(side.coefficient), name(side.value)));
    (!region.losses.is_empty()).then(|| format!("minimised = loss{}", side.collect::<String>()))
}

/// What a region hands on has a name of its own.
fn result_name(region: &Region) -> &str {
    match region.kind {
        RegionKind::Embed | RegionKind::Layer => "x",
        RegionKind::Head => "logits",
        RegionKind::Loss => "loss",
    }
}

fn num_readers(region: &Region, id: ValueId) -> usize {
    region.nodes.iter().flat_map(|node| &node.inputs).filter(|input| **input == id).count()
}
