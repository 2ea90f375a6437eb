//! The numbers of one layer.

use super::rope::Rope;
use super::{exact, exact_or_whole, find_op};
use serde::Serialize;
use svspec_ir::op::Operation as _;
use svspec_ir::{Dim, Model, Node, Op, PerLayer, Region, ValueId, dim};

/// A layer; `None` stands for what it lacks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Layer {
    /// Query heads.
    num_heads: Option<usize>,
    num_kv_heads: Option<usize>,
    head_dim: Option<usize>,
    /// What multiplies the scores.
    score_scale: Option<String>,
    /// The number whose square root the scores are divided by.
    score_denominator: Option<String>,
    /// How many positions a query sees; all, if `None`.
    pub window: Option<usize>,
    /// What bounds the scores.
    soft_cap: Option<String>,
    /// What bounds queries, keys and values.
    clip: Option<String>,
    /// The rotary positions.
    pub rope: Option<Rope>,
    /// Between the maps of the feed-forward part.
    hidden: Option<usize>,
    /// In the feed-forward part.
    activation: Option<String>,
    /// The mixture in place of it.
    pub experts: Option<Experts>,
    /// Of the first normalisation.
    eps: Option<String>,
    /// Of the first constant factor.
    branch_factor: String,
    /// Whether what reads or writes heads has additive vectors.
    attention_bias: bool,
    /// Whether the feed-forward part has.
    mlp_bias: bool,
}

/// A mixture of experts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Experts {
    num: usize,
    num_chosen: usize,
    /// Between an expert's maps.
    hidden: usize,
    /// Whether the weights of the chosen sum to 1.
    is_normalized: bool,
}

/// Reads the layer at `depth`.
pub(super) fn layer(model: &Model, depth: usize) -> Option<Layer> {
    let region = model.regions.get(model.stack.get(depth)?.0)?;
    let attention = region.nodes.iter().find_map(|node| {
        if let Op::Attention(attention) = &node.op { Some((node, attention)) } else { None }
    });
    let dims = |input: usize| attention.and_then(|(node, _)| dims_of(region, *node.inputs.get(input)?));
    let (queries, keys) = (dims(0).unwrap_or_default(), dims(1).unwrap_or_default());
    let size = |dims: &[Dim], index: usize| dims.get(index).map(|dim| dim.size);
    let at = |value: &PerLayer| value.at(Some(depth));
    let scale = attention.map(|(_, attention)| at(&attention.scale));
    let experts = experts(model, region);
    // The activation of the feed-forward part and what follows it are as wide as what is between its maps.
    let mut activations = region.nodes.iter().filter_map(|node| {
        if let Op::Activation(activation) = &node.op {
            Some((*activation, dim::num_elements(&node.dims)))
        } else {
            None
        }
    });
    let activation = activations.next_back();
    let hidden = activation.map(|(_, size)| size).filter(|_| experts.is_none());
    let biases: Vec<&Node> = region.nodes.iter().filter(|node| matches!(node.op, Op::Bias(_))).collect();
    Some(Layer {
        num_heads: size(queries, 0),
        num_kv_heads: size(keys, 0),
        head_dim: size(queries, 1),
        score_scale: scale.map(exact),
        score_denominator: scale.map(|scale| exact_or_whole(1.0 / (scale * scale))),
        window: attention
            .and_then(|(_, attention)| attention.window.as_ref())
            .map(|window| at(window) as usize),
        soft_cap: attention.and_then(|(_, attention)| attention.soft_cap.as_ref()).map(|cap| exact(at(cap))),
        clip: find_op(
            region,
            |op| if let Op::Clamp(clamp) = op { Some(exact(at(&clamp.high))) } else { None },
        ),
        rope: find_op(region, |op| {
            if let Op::Rope(rope) = op {
                Some(Rope::of(rope, size(queries, 1).unwrap_or(1), depth))
            } else {
                None
            }
        }),
        hidden,
        activation: activation.map(|(activation, _)| activation.name().to_owned()),
        experts,
        eps: find_op(
            region,
            |op| if let Op::Normalize(norm) = op { Some(exact(at(&norm.eps))) } else { None },
        ),
        branch_factor: find_op(region, |op| {
            if let Op::Gain(gain) = op { Some(exact(at(&gain.factor))) } else { None }
        })
        .unwrap_or_else(|| exact(1.0)),
        attention_bias: biases.iter().any(|bias| bias.dims.len() > 1),
        mlp_bias: biases
            .iter()
            .any(|bias| bias.dims.len() == 1 && Some(dim::num_elements(&bias.dims)) == hidden),
    })
}

fn experts(model: &Model, region: &Region) -> Option<Experts> {
    let num_chosen =
        find_op(region, |op| if let Op::Choose(choose) = op { Some(choose.num_chosen) } else { None })?;
    let weight =
        find_op(region, |op| if let Op::ExpertLinear(linear) = op { Some(linear.weight) } else { None })?;
    let [num, hidden, _] = model.params.get(weight.0)?.dims.as_slice() else { return None };
    let is_normalized =
        find_op(
            region,
            |op| if let Op::Route(route) = op { Some(route.normalized.is_some()) } else { None },
        )?;
    Some(Experts { num: num.size, num_chosen, hidden: hidden.size, is_normalized })
}

fn dims_of(region: &Region, value: ValueId) -> Option<&[Dim]> {
    region.nodes.get(value.0).map(|node| node.dims.as_slice())
}
