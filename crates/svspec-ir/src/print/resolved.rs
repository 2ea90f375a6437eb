//! The whole model as canonical settings: what the spec comes to once imports, variants and defaults are resolved.

use super::number::{grouped, shortest};
use super::table::{Align, table};
use super::{FORMAT_VERSION, ir, paths};
use crate::group::RuleText;
use crate::optimizer::MuonScale;
use crate::{
    Budget, CheckedModel, Health, LossChunk, Model, Optimizer, Precision, Schedule, Shape, Spike, Train,
};
use serde::Serialize;

/// A model, resolved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResolvedView {
    /// The layout's version.
    pub format_version: u32,
    /// The model's name.
    pub model: String,
    /// From the model at the root to this one.
    pub lineage: Vec<String>,
    /// Its documentation.
    pub doc: Vec<String>,
    /// The shape of the model.
    pub shape: Vec<Setting>,
    /// The optimizer, rules aside.
    pub optimizer: Vec<Setting>,
    /// The rules, in order; a later one wins.
    pub rules: Vec<RuleText>,
    /// The training settings.
    pub train: Vec<Setting>,
    /// The graph.
    pub graph: ir::IrView,
}

/// A setting as the language writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

fn setting(name: &str, value: impl Into<String>) -> Setting {
    Setting { name: name.to_owned(), value: value.into() }
}

/// `checked`, resolved, as data.
pub fn view(checked: &CheckedModel) -> ResolvedView {
    let model = checked.model();
    ResolvedView {
        format_version: FORMAT_VERSION,
        model: model.name.clone(),
        lineage: model.lineage.clone(),
        doc: model.doc.clone(),
        shape: shape(model),
        optimizer: optimizer(&model.optimizer),
        rules: checked.rules().to_vec(),
        train: train(&model.train),
        graph: ir::view(model),
    }
}

/// The settings of the model as a whole.
pub fn shape(model: &Model) -> Vec<Setting> {
    let document_end = model.document_end.map(|token| setting("document_end", token.to_string()));
    let sizes = [
        setting("vocab", model.vocab.to_string()),
        setting("context", model.context.to_string()),
        setting("width", model.width.to_string()),
    ];
    sizes.into_iter().chain(document_end).chain([setting("stack", paths::stack(model))]).collect()
}

/// The optimizer's settings.
pub fn optimizer(optimizer: &Optimizer) -> Vec<Setting> {
    let switch = |on: bool| if on { "on" } else { "off" };
    let mut settings = vec![
        setting("lr", shortest(optimizer.lr)),
        setting("betas", betas(optimizer.betas)),
        setting("eps", shortest(optimizer.eps)),
    ];
    if let Some(muon) = &optimizer.muon {
        settings.extend([
            setting("muon.lr", shortest(muon.lr.unwrap_or(optimizer.lr))),
            setting("muon.momentum", shortest(muon.momentum)),
            setting("muon.nesterov", switch(muon.nesterov)),
            setting("muon.ns_steps", muon.ns_steps.to_string()),
            setting(
                "muon.scale",
                match muon.scale {
                    MuonScale::Rms(rms) => format!("rms({})", shortest(rms)),
                    MuonScale::SqrtRatio => "sqrt_ratio".to_owned(),
                },
            ),
        ]);
    }
    if let Some(sgd) = &optimizer.sgd {
        settings.extend([
            setting("sgd.lr", shortest(sgd.lr.unwrap_or(optimizer.lr))),
            setting("sgd.momentum", shortest(sgd.momentum)),
            setting("sgd.nesterov", switch(sgd.nesterov)),
        ]);
    }
    settings
}

/// `(0.9, 0.95)`
pub fn betas((beta1, beta2): (f64, f64)) -> String {
    format!("({}, {})", shortest(beta1), shortest(beta2))
}

/// The training settings.
pub fn train(train: &Train) -> Vec<Setting> {
    let mut settings = match train.budget {
        Budget::Steps(_) => Vec::new(),
        Budget::Tokens(tokens) => vec![setting("tokens", grouped(tokens))],
    };
    let precision = match train.precision {
        Precision::F32 => "f32",
        Precision::Bf16 => "bf16",
        Precision::Bf16Stochastic => "bf16_stochastic",
    };
    settings.extend([
        setting("steps", grouped(train.steps)),
        setting("batch", format!("{} sequences", grouped(train.batch))),
        setting("micro_batch", format!("{} sequences", grouped(train.micro_batch))),
        setting("schedule", schedule(train.schedule)),
    ]);
    if !train.decay_schedule.is_flat() {
        settings.push(setting("decay_schedule", schedule(train.decay_schedule)));
    }
    settings.extend([
        setting("precision", precision),
        setting("loss_chunk", loss_chunk(train.loss_chunk)),
        setting("recompute", recompute(train.recompute)),
        setting("clip", train.clip.map_or_else(|| "off".to_owned(), shortest)),
        setting("eval_every", format!("{} steps", grouped(train.eval_every))),
        setting("checkpoint_every", format!("{} steps", grouped(train.checkpoint_every))),
        setting("seed", train.seed.to_string()),
    ]);
    // What most runs do goes without saying.
    if train.keep_last > 1 {
        settings.push(setting("keep_last", train.keep_last.to_string()));
    }
    settings.extend(train.keep_every.map(|every| setting("keep_every", every.to_string())));
    settings.extend(health(train.health));
    settings
}

/// What is not as usual.
fn health(health: Health) -> Vec<Setting> {
    let usual = Health::default();
    let mut settings = Vec::new();
    if health.on_non_finite != usual.on_non_finite {
        settings.push(setting("on_non_finite", health.on_non_finite.name()));
    }
    if health.on_spike != usual.on_spike {
        let Spike { remedy, deviations } = health.on_spike;
        let value = format!("{} {{ deviations = {} }}", remedy.name(), shortest(deviations));
        settings.push(setting("on_spike", value));
    }
    if health.on_dead_scale != usual.on_dead_scale {
        settings.push(setting("on_dead_scale", health.on_dead_scale.name()));
    }
    settings
}

fn loss_chunk(chunk: LossChunk) -> String {
    match chunk {
        LossChunk::Auto => "auto".to_owned(),
        LossChunk::All => "off".to_owned(),
        LossChunk::Tokens(tokens) => format!("{} tokens", grouped(tokens)),
    }
}

fn recompute(num_layers: usize) -> String {
    if num_layers == 0 { "off".to_owned() } else { format!("{num_layers} layers") }
}

/// A schedule as the language writes it.
pub fn schedule(schedule: Schedule) -> String {
    match schedule {
        Schedule::Constant { warmup } => format!("constant {{ warmup = {warmup} steps }}"),
        Schedule::Linear { warmup, floor } => {
            format!("linear {{ warmup = {warmup} steps, floor = {} }}", shortest(floor))
        }
        Schedule::Cosine { warmup, floor } => {
            format!("cosine {{ warmup = {warmup} steps, floor = {} }}", shortest(floor))
        }
        Schedule::Wsd { warmup, decay, floor, shape } => {
            let shape = match shape {
                Shape::Linear => String::new(),
                Shape::Sqrt | Shape::Cosine => format!(", shape = {}", shape.name()),
            };
            let floor = shortest(floor);
            format!("wsd {{ warmup = {warmup} steps, decay = {decay} steps, floor = {floor}{shape} }}")
        }
        Schedule::InverseSqrt { warmup } => format!("inverse_sqrt {{ warmup = {warmup} steps }}"),
    }
}

/// `checked`, resolved, as text.
pub fn resolved(checked: &CheckedModel) -> String {
    let view = view(checked);
    let mut text = String::new();
    text.extend(view.doc.iter().map(|line| format!("/// {line}\n")));
    text.push_str(&format!("model {}", view.model));
    if view.lineage.len() > 1 {
        text.push_str(&format!("  ({})", view.lineage.join(" > ")));
    }
    text.push('\n');
    text.push_str(&settings(&view.shape));
    text.push_str("\noptimizer adamw\n");
    text.push_str(&settings(&view.optimizer));
    let rules: Vec<Vec<String>> =
        view.rules.iter().map(|rule| vec![rule.text.clone(), format!("// {}", rule.place)]).collect();
    text.push_str(&table("  ", &[Align::Left], &rules));
    text.push_str("\ntrain\n");
    text.push_str(&settings(&view.train));
    text.push('\n');
    text.push_str(&ir::ir(checked.model()));
    text
}

fn settings(settings: &[Setting]) -> String {
    let rows: Vec<Vec<String>> =
        settings.iter().map(|setting| vec![setting.name.clone(), format!("= {}", setting.value)]).collect();
    table("  ", &[Align::Left], &rows)
}
