//! A model in; the numbers that a family's `config.json` states of it out. They are read off the ops, layer by layer, and
//! need not hold everywhere: what does not is found out when the config is imported again and compared.

mod layer;
mod rope;

pub use layer::Layer;

use layer::layer;
use rope::Rope;
use serde::Serialize;
use svspec_ir::print::number::shortest;
use svspec_ir::{Model, Op, ParamId, ParamKind, Region, RegionKind};

/// What config templates may name. Numbers that need not be whole are text, written as short as they are exact.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Facts {
    vocab_size: usize,
    context: usize,
    /// The rows of the table of positions, which may be longer than the context; the context, if there is none.
    num_positions: usize,
    width: usize,
    num_layers: usize,
    /// Whether the head's matrix is the embedding's table.
    tied: bool,
    /// What the embedding is multiplied with.
    embedding_factor: String,
    /// What the logits are divided by.
    logit_divisor: String,
    /// What bounds the logits.
    logit_cap: Option<String>,
    /// Of the first layer, each under its own name.
    #[serde(flatten)]
    first: Layer,
    /// Every layer.
    layers: Vec<Layer>,
    /// The first layer with a window.
    local: Option<Layer>,
    /// The first layer without experts.
    dense: Option<Layer>,
    /// Of the first layer without a window; of the first layer, if all have one.
    rope_full: Option<Rope>,
    /// Of the first layer with a window; of the first layer, if none has one.
    rope_local: Option<Rope>,
}

/// Reads them; `None` for a model without layers.
pub fn facts(model: &Model) -> Option<Facts> {
    let layers: Vec<Layer> = (0..model.stack.len()).filter_map(|depth| layer(model, depth)).collect();
    let outer = |kind: RegionKind| model.regions.iter().find(|region| region.kind == kind);
    let (embed, head) = (outer(RegionKind::Embed)?, outer(RegionKind::Head)?);
    let mut first = layers.first()?.clone();
    let find = |is_so: fn(&&Layer) -> bool| layers.iter().find(is_so).cloned();
    let (local, full) = (find(|layer| layer.window.is_some()), find(|layer| layer.window.is_none()));
    let rope_of = |layer: &Option<Layer>| layer.as_ref().or(layers.first())?.rope.clone();
    let dense = find(|layer| layer.experts.is_none());
    // Experts stand in some layers only, perhaps, and a config says of them what they are.
    first.experts = find(|layer| layer.experts.is_some()).and_then(|layer| layer.experts);
    Some(Facts {
        vocab_size: model.vocab,
        context: model.context,
        num_positions: num_positions(model, embed).unwrap_or(model.context),
        width: model.width,
        num_layers: model.stack.len(),
        tied: find_op(head, |op| op.as_linear()?.projections.first().map(|projection| projection.weight))
            .is_some_and(|weight| is_table(model, weight)),
        embedding_factor: exact(gain(embed)),
        logit_divisor: exact(1.0 / gain(head)),
        logit_cap: find_op(head, |op| {
            if let Op::SoftCap(cap) = op { Some(exact(cap.cap.at(None))) } else { None }
        }),
        rope_full: rope_of(&full),
        rope_local: rope_of(&local),
        dense,
        first,
        layers,
        local,
    })
}

fn num_positions(model: &Model, embed: &Region) -> Option<usize> {
    let table =
        find_op(embed, |op| if let Op::Positions(positions) = op { Some(positions.table) } else { None })?;
    model.params.get(table.0)?.dims.first().map(|rows| rows.size)
}

/// The product of a region's constant factors.
fn gain(region: &Region) -> f64 {
    let factors = region
        .nodes
        .iter()
        .filter_map(|node| if let Op::Gain(gain) = &node.op { Some(gain.factor.at(None)) } else { None });
    factors.product()
}

fn is_table(model: &Model, weight: ParamId) -> bool {
    model.params.get(weight.0).is_some_and(|param| param.kind == ParamKind::Embedding)
}

fn find_op<T>(region: &Region, read: impl Fn(&Op) -> Option<T>) -> Option<T> {
    region.nodes.iter().find_map(|node| read(&node.op))
}

/// A number as JSON writes it, as short as it is exact; with a point also where it is whole but for rounding, for
/// transformers takes no integer for a float.
fn exact(number: f64) -> String {
    if let Some(whole) = whole(number) {
        return format!("{whole}.0");
    }
    let short = shortest(number);
    let is_exact = short.parse().is_ok_and(|parsed: f64| parsed.to_bits() == number.to_bits());
    if is_exact { short } else { number.to_string() }
}

/// The same for what transformers wants whole, which it is not where it has a point.
fn exact_or_whole(number: f64) -> String {
    whole(number).unwrap_or_else(|| exact(number))
}

/// A number that is whole but for rounding, without a point.
fn whole(number: f64) -> Option<String> {
    let nearest = number.round();
    let is_whole = number.abs() < 1e15 && (number - nearest).abs() <= 1e-12 * nearest.abs();
    is_whole.then(|| format!("{nearest}"))
}
