//! One op as text: its name, and its attributes as the language calls them.

use super::number::{rounded, shortest};
use crate::op::rope::{Angles, Layout, RampEnds, Scaling};
use crate::op::{Activation, Gating, Input, Norm, Rope};
use crate::{Dim, Model, Op, ParamId, PerLayer, ScaleId};

/// An attribute of an op that a spec can change: its name and its value.
pub type Attribute = (&'static str, String);

/// `normalize[rms, eps 1e-5]`, `linear[attn.q.weight]`; `dims` are the result's dimensions.
pub fn head(model: &Model, op: &Op, dims: &[Dim]) -> String {
    let subject = subject(model, op);
    let attributes =
        attributes(op, dims).into_iter().map(|(name, value)| format!("{name} {value}").trim_end().to_owned());
    let inside: Vec<String> = subject.into_iter().chain(attributes).collect();
    if inside.is_empty() { name(op).to_owned() } else { format!("{}[{}]", name(op), inside.join(", ")) }
}

/// The op's own name; an activation's and an input's say which.
pub fn name(op: &Op) -> &'static str {
    match op {
        Op::Input(Input::Tokens) => "tokens",
        Op::Input(Input::Carried) => "carried",
        Op::Input(Input::Targets) => "targets",
        Op::Embed(_) => "embed",
        Op::Positions(_) => "positions",
        Op::Normalize(_) => "normalize",
        Op::Scale(_) => "scale",
        Op::Bias(_) => "bias",
        Op::Linear(_) => "linear",
        Op::View(_) => "view",
        Op::Slice(_) => "slice",
        Op::Concat(_) => "concat",
        Op::Rope(_) => "rope",
        Op::Attention(_) => "attention",
        Op::Activation(activation) => match activation {
            Activation::Silu => "silu",
            Activation::Gelu => "gelu",
            Activation::GeluTanh => "gelu_tanh",
            Activation::GeluQuick => "gelu_quick",
            Activation::Relu => "relu",
            Activation::Relu2 => "relu2",
            Activation::Tanh => "tanh",
            Activation::Sigmoid => "sigmoid",
        },
        Op::Mul(_) => "mul",
        Op::Add(_) => "add",
        Op::Gain(_) => "gain",
        Op::SoftCap(_) => "soft_cap",
        Op::Clamp(_) => "clamp",
        Op::CrossEntropy(_) => "cross_entropy",
        Op::Choose(_) => "choose",
        Op::Route(route) => match route.gating {
            Gating::Softmax => "softmax_weights",
            Gating::SoftmaxOfChosen => "softmax_of_chosen",
            Gating::Sigmoid => "sigmoid_weights",
            Gating::SigmoidNormalized => "sigmoid_normalized",
        },
        Op::Dispatch(_) => "dispatch",
        Op::ExpertLinear(_) => "expert_linear",
        Op::Combine(_) => "combine",
    }
}

/// The parameters and scale vectors that the op applies.
pub fn subject(model: &Model, op: &Op) -> Vec<String> {
    match op {
        Op::Embed(embed) => vec![param_path(model, embed.table)],
        Op::Positions(positions) => vec![param_path(model, positions.table)],
        Op::Attention(attention) => {
            attention.sinks.map(|sinks| param_path(model, sinks)).into_iter().collect()
        }
        Op::Bias(bias) => vec![param_path(model, bias.param)],
        Op::Scale(scale) => vec![scale_path(model, scale.scale)],
        Op::ExpertLinear(op) => vec![param_path(model, op.weight)],
        Op::Linear(linear) => {
            let projections = linear.projections.iter();
            let weight = |projection: &crate::op::Projection| {
                let mut text = param_path(model, projection.weight);
                if let Some(scale) = projection.column_scale {
                    text = format!("{text} ⊙ columns {}", scale_path(model, scale));
                }
                if let Some(scale) = projection.row_scale {
                    text = format!("{text} ⊙ rows {}", scale_path(model, scale));
                }
                text
            };
            projections.map(weight).collect()
        }
        Op::Input(_)
        | Op::Normalize(_)
        | Op::View(_)
        | Op::Slice(_)
        | Op::Concat(_)
        | Op::Rope(_)
        | Op::Activation(_)
        | Op::Mul(_)
        | Op::Add(_)
        | Op::Gain(_)
        | Op::SoftCap(_)
        | Op::Choose(_)
        | Op::Route(_)
        | Op::Dispatch(_)
        | Op::Combine(_)
        | Op::Clamp(_)
        | Op::CrossEntropy(_) => Vec::new(),
    }
}

/// The numbers of the op, those at their neutral value left out. A normalisation's statistic comes first, with the
/// axes unless they are all.
pub fn attributes(op: &Op, dims: &[Dim]) -> Vec<Attribute> {
    match op {
        Op::Normalize(normalize) => {
            let norm = match normalize.norm {
                Norm::Rms => "rms",
                Norm::Layer => "layer",
            };
            let skipped = dims.len().saturating_sub(normalize.num_axes);
            let axes: Vec<&str> = dims.iter().skip(skipped).map(|dim| dim.name.as_str()).collect();
            let over = if skipped == 0 { String::new() } else { format!("over {}", axes.join(" × ")) };
            vec![(norm, over), ("eps", shortest(normalize.eps))]
        }
        Op::Slice(slice) => vec![("from", slice.start.to_string())],
        Op::Rope(rope) => rope_attributes(rope, dims),
        Op::Attention(attention) => {
            let window = attention.window.map(|window| ("window", window.to_string()));
            let soft_cap = attention.soft_cap.map(|cap| ("soft_cap", shortest(cap)));
            [Some(("scale", rounded(attention.scale))), window, soft_cap].into_iter().flatten().collect()
        }
        Op::Gain(gain) => vec![("factor", per_layer(&gain.factor))],
        Op::Positions(positions) if positions.offset > 0 => vec![("offset", positions.offset.to_string())],
        Op::Clamp(clamp) => vec![("low", shortest(clamp.low)), ("high", shortest(clamp.high))],
        Op::SoftCap(soft_cap) => vec![("cap", shortest(soft_cap.cap))],
        Op::Input(_)
        | Op::Embed(_)
        | Op::Positions(_)
        | Op::Scale(_)
        | Op::Bias(_)
        | Op::Linear(_)
        | Op::View(_)
        | Op::Concat(_)
        | Op::Activation(_)
        | Op::Mul(_)
        | Op::Add(_)
        | Op::Choose(_)
        | Op::Route(_)
        | Op::Dispatch(_)
        | Op::ExpertLinear(_)
        | Op::Combine(_)
        | Op::CrossEntropy(_) => Vec::new(),
    }
}

fn rope_attributes(rope: &Rope, dims: &[Dim]) -> Vec<Attribute> {
    let Angles { theta, rotary_dim, scaling } = rope.angles;
    let mut attributes = vec![("theta", shortest(theta))];
    if dims.last().is_none_or(|dim| dim.size != rotary_dim) {
        attributes.push(("rotary_dim", rotary_dim.to_string()));
    }
    match rope.layout {
        Layout::Half => {}
        Layout::Interleaved => attributes.push(("layout", "interleaved".to_owned())),
    }
    match scaling {
        Scaling::Unscaled => {}
        Scaling::Linear { factor } => attributes.push(("linear", format!("factor {}", shortest(factor)))),
        Scaling::Llama3(llama3) => {
            let [factor, low, high] =
                [llama3.factor, llama3.low_freq_factor, llama3.high_freq_factor].map(shortest);
            let context = llama3.original_context;
            attributes.push((
                "llama3",
                format!(
                    "factor {factor} low_freq_factor {low} high_freq_factor {high} original_context {context}"
                ),
            ));
        }
        Scaling::Yarn(yarn) => {
            let [factor, fast, slow] = [yarn.factor, yarn.beta_fast, yarn.beta_slow].map(shortest);
            let (context, attention_factor) = (yarn.original_context, rounded(yarn.attention_factor));
            let truncate = match yarn.ends {
                RampEnds::Whole => "",
                RampEnds::Exact => " truncate off",
            };
            attributes.push((
                "yarn",
                format!(
                    "factor {factor} beta_fast {fast} beta_slow {slow} original_context {context} \
                     attention_factor {attention_factor}{truncate}"
                ),
            ));
        }
    }
    attributes
}

/// `2`, or `1, 0.7071, 0.5774` where layers differ.
pub fn per_layer(value: &PerLayer) -> String {
    match value {
        PerLayer::Uniform(value) => rounded(*value),
        PerLayer::Each(values) => values.iter().map(|&value| rounded(value)).collect::<Vec<_>>().join(" "),
    }
}

fn param_path(model: &Model, param: ParamId) -> String {
    model.params.get(param.0).map_or_else(String::new, |param| param.path.clone())
}

fn scale_path(model: &Model, scale: ScaleId) -> String {
    model.scales.get(scale.0).map_or_else(String::new, |scale| scale.path.clone())
}
