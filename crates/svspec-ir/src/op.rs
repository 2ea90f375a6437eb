//! The ops: each is one file that knows its shapes, its cost, in which inputs it is linear, how a per-channel
//! scale passes through it, its value and its derivative. A new op is a new file, its `mod` here and its line of `ops!`.

pub mod activation;
pub mod add;
pub mod attention;
pub mod balance;
pub mod bias;
pub mod broadcast;
mod by_expert;
pub mod choose;
pub mod clamp;
pub mod combine;
pub mod concat;
pub mod cross_entropy;
pub mod delay;
pub mod dispatch;
pub mod embed;
pub mod expert_bias;
pub mod expert_linear;
pub mod expert_scale;
pub mod gain;
pub mod input;
pub mod linear;
pub mod memory;
pub mod mul;
pub mod normalize;
pub mod position_gain;
pub mod positions;
pub mod rope;
pub mod route;
pub mod scale;
pub mod sinusoids;
pub mod slice;
pub mod soft_cap;
mod table_rows;
pub mod view;
pub mod weigh;
pub mod z_loss;

#[cfg(test)]
mod trial;

pub use balance::Over;
pub use choose::{Correction, Groups};
pub use linear::Projection;
pub use memory::{Kept, ResultKind, Work};
pub use normalize::Norm;
pub use rope::Angles;
pub use route::Scores;

use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, ParamId, PerLayer, ScaleId};
use serde::Serialize;

/// Declares the ops of these files, each as `FILE::TYPE`: [`Op`], and [`each_op!`](crate::each_op), which matches all of its
/// variants. It is given a `$`, too, to write that macro's own with.
macro_rules! ops {
    ($d:tt $($file:ident::$name:ident,)*) => {
        $(pub use $file::$name;)*

        /// What a node applies.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "each payload documents itself")]
        pub enum Op {
            $($name($name),)*
        }

        /// An expression of the payload of an [`Op`], whichever it is: `each_op!(&node.op, op => op.name())`.
        #[macro_export]
        macro_rules! each_op {
            ($d op:expr, $d payload:ident => $d value:expr) => {
                match $d op {
                    $($crate::Op::$name($d payload) => $d value,)*
                }
            };
        }
    };
}

ops! {
    $
    input::Input,
    embed::Embed,
    positions::Positions,
    sinusoids::Sinusoids,
    normalize::Normalize,
    scale::Scale,
    bias::Bias,
    linear::Linear,
    view::View,
    slice::Slice,
    concat::Concat,
    rope::Rope,
    attention::Attention,
    activation::Activation,
    mul::Mul,
    add::Add,
    gain::Gain,
    position_gain::PositionGain,
    soft_cap::SoftCap,
    choose::Choose,
    route::Route,
    dispatch::Dispatch,
    expert_linear::ExpertLinear,
    expert_bias::ExpertBias,
    expert_scale::ExpertScale,
    combine::Combine,
    weigh::Weigh,
    balance::Balance,
    z_loss::ZLoss,
    clamp::Clamp,
    delay::Delay,
    cross_entropy::CrossEntropy,
}

/// What it costs to run an op on one token, forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Multiply-adds count as two. Matrix products only where `matmul` says so; the rest is element-wise work.
    pub flops: f64,
    /// The part of `flops` that is matrix products (attention's two included).
    pub matmul_flops: f64,
    /// Values of its own that autograd keeps for the backward pass: statistics and inner results. Inputs and outputs
    /// that it keeps are not counted here, since several ops may keep the same one: see [`Operation::keeps_input`].
    pub saved: f64,
    /// Values of the activation type read and written.
    pub traffic: f64,
}

/// What happens to a per-channel scale γ on one input of an op. `channels[c]` is the entry of γ that multiplies
/// channel `c` of the input (channels counted flat over its dimensions), or none where γ leaves the channel alone.
#[derive(Clone, Debug, PartialEq)]
pub enum Passage {
    /// `op(γ ⊙ x) = γ' ⊙ op(x)`: the same for the output, with these channels.
    Through(Vec<Option<usize>>),
    /// A linear map whose columns can take γ.
    Absorbed,
    /// Neither; says why in words that complete "γ does not pass …".
    Blocked(String),
}

/// What a per-channel scale γ on an op's output becomes before the op. Channels as in [`Passage`].
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// `γ ⊙ op(x, …) = op(γ' ⊙ x, …)`: for each input γ' on its channels, or none if it stays as it is.
    Inputs(Vec<Option<Vec<Option<usize>>>>),
    /// A parameter takes γ, and nothing is left for the inputs.
    Taken {
        /// The parameter.
        by: ParamId,
        /// Which of its entries, in words that stand before its name.
        how: &'static str,
    },
    /// The entries of a parameter of the output's sizes take γ, and so does the input.
    Shifted {
        /// The parameter.
        by: ParamId,
        /// γ on the input's channels.
        input: Vec<Option<usize>>,
    },
    /// None of these; says why in words that follow the value's name.
    Blocked(String),
}

/// What an op makes of a scaled value that it reads.
pub enum Reading {
    /// A linear map: its columns meet γ.
    LinearMap,
    /// Still the same channels, each rescaled or shifted, or beside others; says how.
    LookThrough(String),
    /// Anything else; says what.
    Other(&'static str),
}

/// An attribute of an op that a spec can change: its name and its value.
pub type Attribute = (&'static str, String);

/// What every op knows.
pub trait Operation {
    /// The name in prints: `rms_norm`'s deterministic half is `normalize`.
    fn name(&self) -> &'static str;

    /// What the role of a scale vector follows from.
    fn reading(&self, model: &Model) -> Reading;

    /// Whether it only dresses its one input, so that prints may hold both in one place.
    fn is_step(&self) -> bool;

    /// The numbers of the op as prints show them, those at their neutral value left out; `dims` are the result's.
    fn attributes(&self, _dims: &[Dim]) -> Vec<Attribute> {
        Vec::new()
    }

    /// Whether it needs other tokens than the one that it computes, or the place of that one.
    fn mixes_tokens(&self) -> bool {
        false
    }

    /// Whether it has to know where documents begin, in a model that has them apart.
    fn stays_within_documents(&self) -> bool {
        false
    }

    /// Its numbers that may differ from layer to layer.
    fn per_layer_mut(&mut self) -> Vec<&mut PerLayer> {
        Vec::new()
    }

    /// The parameters and scale vectors that it applies, as prints show them.
    fn subject(&self, model: &Model) -> Vec<String> {
        let params = self.params().into_iter().filter_map(|param| model.params.get(param.0));
        let scales = self.scales().into_iter().filter_map(|scale| model.scales.get(scale.0));
        params.map(|param| param.path.clone()).chain(scales.map(|scale| scale.path.clone())).collect()
    }

    /// Whether its result goes by its part's name, rather than by its own.
    fn is_of_part(&self) -> bool {
        !self.is_step() && !self.params().is_empty()
    }

    /// Itself with other parameters of the same kind: what two ops are compared by that may read different tensors. `None`
    /// if it reads none.
    fn without_tensors(&self) -> Option<Op> {
        None
    }

    /// The output's dimensions, or what is wrong with the inputs' in words.
    fn infer(&self, model: &Model, inputs: &[&[Dim]]) -> Result<Dims, String>;

    /// The cost per token, forward, at context length `model.context`.
    fn cost(&self, model: &Model, inputs: &[&[Dim]], output: &[Dim]) -> Cost;

    /// Whether its derivative needs the value of input `index`.
    fn keeps_input(&self, index: usize) -> bool;

    /// Whether its derivative needs the value of its output.
    fn keeps_output(&self) -> bool {
        false
    }

    /// What its result's entries are where products are computed in bf16.
    fn result_kind(&self) -> ResultKind {
        ResultKind::Input
    }

    /// Adds what it keeps, beyond the values and the numbers of its cost, and what it takes while it runs.
    fn keeps(&self, _work: &Work<'_>, _kept: &mut Kept) {}

    /// Whether the output is linear in input `index`, the others held fixed.
    fn is_linear_in(&self, index: usize) -> bool;

    /// What happens to a per-channel scale on input `index`.
    fn pass_scale(
        &self,
        model: &Model,
        index: usize,
        channels: &[Option<usize>],
        inputs: &[&[Dim]],
    ) -> Passage;

    /// What a per-channel scale on the output becomes before the op.
    fn pull_scale(
        &self,
        _model: &Model,
        _channels: &[Option<usize>],
        _inputs: &[&[Dim]],
        _output: &[Dim],
    ) -> Origin {
        Origin::Blocked(format!("is {}, not a linear map's product", self.name()))
    }

    /// The value, in `f64`.
    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor;

    /// The vector-Jacobian product: for each input the gradient (`None` where there is none, as for tokens), and for
    /// each parameter read, an addition to `gradients`.
    fn vjp(
        &self,
        env: &Environment<'_>,
        inputs: &[&Tensor],
        output: &Tensor,
        gradient: &Tensor,
        gradients: &mut Gradients,
    ) -> Vec<Option<Tensor>>;

    /// The parameters it reads itself, scale vectors aside.
    fn params(&self) -> Vec<ParamId> {
        Vec::new()
    }

    /// The scale vectors it reads.
    fn scales(&self) -> Vec<ScaleId> {
        Vec::new()
    }
}

impl Op {
    /// The op's own file.
    pub fn operation(&self) -> &dyn Operation {
        each_op!(self, op => op)
    }

    /// The same, to be changed.
    pub fn operation_mut(&mut self) -> &mut dyn Operation {
        each_op!(self, op => op)
    }

    /// The op as it is in one layer, from 0.
    #[must_use]
    pub fn in_layer(&self, layer: Option<usize>) -> Self {
        let mut op = self.clone();
        for value in op.operation_mut().per_layer_mut() {
            *value = PerLayer::Uniform(value.at(layer));
        }
        op
    }

    /// The linear map, if it is one.
    pub fn as_linear(&self) -> Option<&Linear> {
        if let Self::Linear(linear) = self { Some(linear) } else { None }
    }
}

/// The inputs' dimensions, if there are `N` of them.
fn arity<'a, const N: usize>(inputs: &[&'a [Dim]]) -> Result<[&'a [Dim]; N], String> {
    inputs.try_into().map_err(|_| format!("takes {N} inputs, not {}", inputs.len()))
}

/// The values of the `N` inputs of a node whose dimensions were inferred.
fn operands<'a, const N: usize>(inputs: &[&'a Tensor]) -> [&'a Tensor; N] {
    inputs.try_into().expect("a node has as many inputs as its op takes")
}

/// Whether the copies of a token that its experts are given, `num_channels` each, have the same `channels`.
fn is_periodic(channels: &[Option<usize>], num_channels: usize) -> bool {
    let first = channels.get(..num_channels);
    first.is_some_and(|first| channels.chunks(num_channels.max(1)).all(|copy| copy == first))
}
