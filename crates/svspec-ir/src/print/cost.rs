//! What a model costs as its crate is generated, every rewrite applied: parameters, operations, memory, part by part.

use super::FORMAT_VERSION;
use super::number::{bytes, grouped, si};
use super::table::{Align, row, table};
use crate::cost::{CostReport, PartCost};
use crate::rewrite::{self, Rewrites};
use crate::{CheckedModel, ParamKind};
use serde::Serialize;

/// The cost of a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CostView {
    /// The layout's version.
    pub format_version: u32,
    /// The model's name.
    pub model: String,
    /// The counts.
    #[serde(flatten)]
    pub report: CostReport,
}

/// The cost of `checked` as data.
pub fn view(checked: &CheckedModel) -> CostView {
    let (model, _) = rewrite::optimise(checked.model(), &Rewrites::default());
    CostView {
        format_version: FORMAT_VERSION,
        model: model.name.clone(),
        report: crate::cost::cost(&model, checked.assignments()),
    }
}

/// The cost of `checked` as text.
pub fn cost(checked: &CheckedModel) -> String {
    let CostView { report, .. } = view(checked);
    let mut text = String::from("parameters\n");
    let mut rows: Vec<Vec<String>> = report
        .by_kind
        .iter()
        .map(|count| vec![kind(count.kind).to_owned(), grouped(count.num_params), grouped(count.num_tensors)])
        .collect();
    rows.insert(0, row(["", "entries", "tensors"]));
    let num_tensors = report.by_kind.iter().map(|count| count.num_tensors).sum();
    rows.push(vec!["total".to_owned(), grouped(report.num_params), grouped(num_tensors)]);
    if report.num_active_params != report.num_params {
        rows.push(vec!["active for one token".to_owned(), grouped(report.num_active_params), String::new()]);
    }
    text.push_str(&table("  ", &[Align::Left, Align::Right, Align::Right], &rows));

    text.push_str("\noperations per token\n");
    let flops = &report.flops;
    let share = |matmul: f64, all: f64| format!("{:.1} % in matrix products", 100.0 * matmul / all.max(1.0));
    let rows = [
        vec!["forward".to_owned(), si(flops.forward), share(flops.forward_matmul, flops.forward)],
        vec!["training".to_owned(), si(flops.training), share(flops.training_matmul, flops.training)],
    ];
    text.push_str(&table("  ", &[Align::Left, Align::Right], &rows));

    text.push_str("\nmemory of a training step at its peak\n");
    let memory = &report.memory;
    let rows: Vec<Vec<String>> = [
        ("weights", memory.weights),
        ("gradients", memory.gradients),
        ("optimizer", memory.optimizer),
        ("weight copies", memory.weight_copies),
        ("activations", memory.activations),
        ("logits", memory.logits),
        ("working", memory.working),
        ("total", memory.total),
    ]
    .iter()
    .filter(|(_, size)| *size > 0)
    .map(|(name, size)| vec![(*name).to_owned(), bytes(*size as f64)])
    .collect();
    text.push_str(&table("  ", &[Align::Left, Align::Right], &rows));

    text.push_str("\nby part\n");
    let header = row(["region", "part", "times", "entries", "forward", "kept per token"]);
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(report.parts.iter().map(cells)).collect();
    let aligns = [Align::Left, Align::Left, Align::Right, Align::Right, Align::Right, Align::Right];
    text.push_str(&table("  ", &aligns, &rows));
    text
}

fn cells(part: &PartCost) -> Vec<String> {
    let name = if part.part.is_empty() { "-" } else { &part.part };
    vec![
        part.region.clone(),
        name.to_owned(),
        grouped(part.repeats),
        grouped(part.num_params),
        si(part.forward_flops),
        si(part.kept_values),
    ]
}

fn kind(kind: ParamKind) -> &'static str {
    match kind {
        ParamKind::Weight => "weights",
        ParamKind::Embedding => "embeddings",
        ParamKind::Scale => "scale vectors",
        ParamKind::Bias => "biases",
        ParamKind::Router => "routers",
        ParamKind::Correction => "corrections",
    }
}
