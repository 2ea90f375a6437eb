//! A model in; the numbers that a family's `config.json` states of it out. They are read off the first layer's ops; what
//! does not hold of every layer is found out when the config is imported again and compared.

use serde::Serialize;
use svspec_ir::print::number::shortest;
use svspec_ir::{Dim, Model, Node, Op, Region, RegionKind, ValueId, dim};

/// What config templates may name. Numbers are text, written as short as they are exact.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Facts {
    vocab_size: usize,
    context: usize,
    width: usize,
    /// Between the maps of the feed-forward part.
    hidden: usize,
    num_layers: usize,
    num_heads: usize,
    num_kv_heads: usize,
    head_dim: usize,
    /// Of the first normalisation.
    eps: String,
    /// Of the rotary positions.
    theta: String,
    /// How many positions a query sees; `null`: all.
    window: String,
    /// Whether the head's matrix is the embedding's table.
    tied: bool,
    /// Whether what reads or writes heads has additive vectors.
    attention_bias: bool,
    /// Whether the feed-forward part has.
    mlp_bias: bool,
}

/// Reads them; `None` where the model has no attention or no feed-forward part to read them from.
pub fn facts(model: &Model) -> Option<Facts> {
    let layer = model.regions.get(model.stack.first()?.0)?;
    let (attention, window) = layer.nodes.iter().find_map(|node| {
        if let Op::Attention(attention) = &node.op { Some((node, attention.window)) } else { None }
    })?;
    let dims = |input: usize| dims_of(layer, *attention.inputs.get(input)?);
    let ([heads, head_dim], [kv_heads, _]) = (dims(0)?, dims(1)?) else { return None };
    let product = layer.nodes.iter().rfind(|node| matches!(node.op, Op::Mul(_) | Op::Activation(_)))?;
    let hidden = dim::num_elements(&product.dims);
    let biases: Vec<&Node> = layer.nodes.iter().filter(|node| matches!(node.op, Op::Bias(_))).collect();
    let head = model.regions.iter().find(|region| region.kind == RegionKind::Head)?;
    Some(Facts {
        vocab_size: model.vocab,
        context: model.context,
        width: model.width,
        hidden,
        num_layers: model.stack.len(),
        num_heads: heads.size,
        num_kv_heads: kv_heads.size,
        head_dim: head_dim.size,
        eps: shortest(first(layer, |op| if let Op::Normalize(norm) = op { Some(norm.eps) } else { None })?),
        theta: shortest(first(
            layer,
            |op| {
                if let Op::Rope(rope) = op { Some(rope.angles.theta) } else { None }
            },
        )?),
        window: window.map_or("null".to_owned(), |window| window.to_string()),
        tied: first(head, |op| op.as_linear()?.projections.first().map(|projection| projection.weight))
            .is_some_and(|weight| is_table(model, weight)),
        attention_bias: biases.iter().any(|bias| bias.dims.len() > 1),
        mlp_bias: biases.iter().any(|bias| bias.dims.len() == 1 && dim::num_elements(&bias.dims) == hidden),
    })
}

fn is_table(model: &Model, weight: svspec_ir::ParamId) -> bool {
    model.params.get(weight.0).is_some_and(|param| param.kind == svspec_ir::ParamKind::Embedding)
}

fn first<T>(region: &Region, read: impl Fn(&Op) -> Option<T>) -> Option<T> {
    region.nodes.iter().find_map(|node| read(&node.op))
}

fn dims_of(region: &Region, value: ValueId) -> Option<&[Dim]> {
    region.nodes.get(value.0).map(|node| node.dims.as_slice())
}
