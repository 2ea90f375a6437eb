//! The tables a generated crate fills in: what the model's parameters are, how each is trained, and for how long.

mod absorber;
mod health;

pub use absorber::{Absorber, Block, Entries, Side};
pub use health::{Health, Remedy, Spike};

/// One model, as its spec resolved it.
#[derive(Debug)]
pub struct Spec {
    /// The model's or variant's name.
    pub name: &'static str,
    /// The SHA-256 of the spec's text, in hexadecimal. A checkpoint of another hash is refused.
    pub hash: &'static str,
    /// Token ids are `0..vocab`.
    pub vocab: i64,
    /// Tokens in a training sequence.
    pub context: i64,
    /// Layers in the stack.
    pub num_layers: usize,
    /// The token that ends a document, where no token sees one of another document.
    pub document_end: Option<i64>,
    /// Every parameter.
    pub params: &'static [ParamRow],
    /// The optimizer's groups; `ParamRow::group` is an index.
    pub groups: &'static [GroupRow],
    /// How Muon reads its tensors, where that is not plain from their shape.
    pub matrices: &'static [MatrixRow],
    /// What is kept at norm 1.
    pub units: &'static [UnitRow],
    /// Every scale vector.
    pub scales: &'static [ScaleRow],
    /// The training settings.
    pub training: Training,
    /// Floating-point operations of forward and backward, per token.
    pub flops_per_token: f64,
}

/// One parameter template over a run of layers that are treated alike.
#[derive(Debug)]
pub struct ParamRow {
    /// `attn.q.weight`; the tensor of layer `i` is `layers.{i}.attn.q.weight`.
    pub path: &'static str,
    /// Where it has tensors.
    pub layers: Layers,
    /// The shape of each.
    pub shape: &'static [i64],
    /// The index of its group.
    pub group: usize,
    /// How each is filled at step 0.
    pub init: Init,
}

/// The layers of a row, from 0.
#[derive(Clone, Copy, Debug)]
pub enum Layers {
    /// One tensor, outside the stack.
    Outside,
    /// Layers `start..end`.
    Range(usize, usize),
    /// These layers.
    List(&'static [usize]),
}

impl Layers {
    /// The layer of each tensor in order, `None` outside the stack.
    pub fn instances(self) -> Vec<Option<usize>> {
        match self {
            Self::Outside => vec![None],
            Self::Range(start, end) => (start..end).map(Some).collect(),
            Self::List(layers) => layers.iter().copied().map(Some).collect(),
        }
    }

    /// Whether the tensor of `layer` is among them.
    pub fn holds(self, layer: Option<usize>) -> bool {
        match (self, layer) {
            (Self::Outside, None) => true,
            (Self::Range(start, end), Some(layer)) => (start..end).contains(&layer),
            (Self::List(layers), Some(layer)) => layers.contains(&layer),
            (Self::Outside, Some(_)) | (Self::Range(..) | Self::List(_), None) => false,
        }
    }
}

/// The name of a tensor or a scale vector: `path` outside the stack, `layers.{i}.path` in it.
pub fn instance_name(path: &str, layer: Option<usize>) -> String {
    match layer {
        None => path.to_owned(),
        Some(index) => format!("layers.{index}.{path}"),
    }
}

/// How a tensor is filled at step 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Gaussian with mean 0 and this standard deviation.
    Normal(f64),
    /// The same, cut off at three standard deviations.
    TruncatedNormal(f64),
    /// Uniform between this and its negative.
    Uniform(f64),
    /// Every entry this.
    Constant(f64),
}

/// Parameters that the optimizer treats alike.
#[derive(Debug)]
pub struct GroupRow {
    /// For tables and messages.
    pub name: &'static str,
    /// What takes the steps.
    pub algorithm: Algorithm,
    /// The peak learning rate.
    pub lr: f64,
    /// Decoupled: a step multiplies the tensor by `1 − lr · weight_decay`, both as scheduled.
    pub weight_decay: f64,
    /// Whether its gradients count in the global norm and are scaled by clipping.
    pub clipped: bool,
    /// The text of the rules that made it.
    pub rule: &'static str,
}

/// An optimizer with its constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Algorithm {
    /// Adam with decoupled decay (arXiv 1711.05101).
    AdamW {
        /// β1 and β2.
        betas: (f64, f64),
        /// ε.
        eps: f64,
    },
    /// Momentum, its matrices made nearly orthogonal (Jordan et al. 2024; arXiv 2502.16982).
    Muon(Muon),
    /// Gradient descent with momentum.
    Sgd {
        /// μ in `m ← μ m + g`.
        momentum: f64,
        /// Whether a step takes `g + μ m` rather than `m`.
        nesterov: bool,
    },
    /// None: the load of experts moves it ([`crate::losses::Load`]).
    Load,
}

/// Muon's constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Muon {
    /// μ in `m ← μ m + (1 − μ) g`.
    pub momentum: f64,
    /// Whether a step orthogonalises `μ m + (1 − μ) g` rather than `m`.
    pub nesterov: bool,
    /// Newton-Schulz iterations.
    pub ns_steps: u32,
    /// What the orthogonalised matrix is multiplied by.
    pub scale: MuonScale,
}

/// The factor on an update of shape `[out, in]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MuonScale {
    /// `r · sqrt(max(out, in))`: the root mean square of the update is about r (arXiv 2502.16982, with r = 0.2).
    Rms(f64),
    /// `sqrt(max(1, out / in))` (Jordan et al. 2024).
    SqrtRatio,
}

impl MuonScale {
    /// The factor of one shape.
    pub fn factor(self, out: i64, num_in: i64) -> f64 {
        match self {
            Self::Rms(rms) => rms * (out.max(num_in) as f64).sqrt(),
            Self::SqrtRatio => (out as f64 / num_in as f64).max(1.0).sqrt(),
        }
    }
}

/// A parameter whose tensors Muon reads as other than one matrix `[out, in]`.
#[derive(Debug)]
pub struct MatrixRow {
    /// As in its [`ParamRow`].
    pub path: &'static str,
    /// Which of its tensors.
    pub layers: Layers,
    /// How.
    pub matrices: Matrices,
}

/// A tensor as matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matrices {
    /// The axis along which matrices are stacked, of experts or of heads.
    pub stacked: Option<i64>,
    /// The leading axes, the stacked one aside, that are outputs; the rest are inputs.
    pub num_out: usize,
}

impl Matrices {
    /// One matrix `[out, in]`.
    pub const PLAIN: Self = Self { stacked: None, num_out: 1 };
}

/// A parameter whose Euclidean norm over some axes is 1, at step 0 and after every step.
#[derive(Debug)]
pub struct UnitRow {
    /// As in its [`ParamRow`].
    pub path: &'static str,
    /// Which of its tensors.
    pub layers: Layers,
    /// The axes of its shape.
    pub axes: &'static [i64],
}

/// One scale vector γ over a run of layers.
#[derive(Debug)]
pub struct ScaleRow {
    /// `attn.q.in_scale`; its parameters are this path, or `PATH.magnitude` and `PATH.direction`.
    pub path: &'static str,
    /// Where it has tensors.
    pub layers: Layers,
    /// What the compiler proved of it.
    pub role: Role,
    /// How γ follows from the parameters.
    pub form: ScaleForm,
    /// Where it was placed: `norm`, `linear_input`, …
    pub site: &'static str,
    /// Into what it folds; empty where it does not.
    pub absorbers: &'static [Absorber],
}

/// The role of a scale vector (arXiv 2605.26895).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Only linear maps read it.
    Input,
    /// Something else does.
    Output,
}

impl Role {
    /// As tables and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

/// How γ is computed from its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScaleForm {
    /// `γ = α`.
    Direct,
    /// `γ = 1 + α`.
    OnePlus,
    /// `γ = β · α / RMS(α)`.
    MagnitudeDirection,
    /// `γ = exp(β) · exp(α − mean(α))`.
    ExpMagnitudeDirection,
    /// `γ = log(1 + exp(α))`.
    Softplus,
}

/// How long, how fast, and in what type to train.
#[derive(Clone, Copy, Debug)]
pub struct Training {
    /// Optimizer steps.
    pub steps: u64,
    /// Sequences per optimizer step.
    pub batch: u64,
    /// Sequences per forward pass; divides `batch`.
    pub micro_batch: u64,
    /// The learning rate over time.
    pub schedule: Schedule,
    /// The weight decay over time, beside what follows from the learning rate.
    pub decay_schedule: Schedule,
    /// The compute type.
    pub precision: Precision,
    /// The global gradient norm to clip to.
    pub clip: Option<f64>,
    /// Steps between validation losses.
    pub eval_every: u64,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// How many of the newest checkpoints stay; at least 1.
    pub keep_last: u64,
    /// One of so many checkpoints stays for good.
    pub keep_every: Option<u64>,
    /// What is done when something is wrong.
    pub health: Health,
    /// The seed unless the command line gives one.
    pub seed: u64,
    /// The peak learning rate, for metrics; a group has its own.
    pub lr: f64,
}

/// A fraction over time; warm-up is linear, lengths are in steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// The peak after the warm-up.
    Constant {
        /// Steps of warm-up.
        warmup: u64,
    },
    /// In a line from the peak to `floor` times it.
    Linear {
        /// Steps of warm-up.
        warmup: u64,
        /// The final fraction of the peak.
        floor: f64,
    },
    /// Half a cosine, from the peak to `floor` times the peak.
    Cosine {
        /// Steps of warm-up.
        warmup: u64,
        /// The final fraction of the peak.
        floor: f64,
    },
    /// Warm-up, stable, then decay to `floor` times the peak (arXiv 2404.06395).
    Wsd {
        /// Steps of warm-up.
        warmup: u64,
        /// Steps of decay at the end.
        decay: u64,
        /// The final fraction of the peak.
        floor: f64,
        /// The course of the decay.
        shape: Shape,
    },
    /// `sqrt(warmup / step)`, steps counted from 1.
    InverseSqrt {
        /// Steps of warm-up.
        warmup: u64,
    },
}

/// A fall from 1 to 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `1 − t`
    Linear,
    /// `1 − sqrt(t)`
    Sqrt,
    /// `(1 + cos(π t)) / 2`
    Cosine,
}

/// Where the optimizer's state is, among several processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptimizerState {
    /// All of it in each.
    Whole,
    /// Each parameter's in one of them (ZeRO, arXiv 1910.02054, its first stage).
    Sharded,
}

impl OptimizerState {
    /// As the spec writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Sharded => "sharded",
        }
    }
}

/// The type of matrix products and activations, and of what lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit.
    F32,
    /// bfloat16, by autocast; weights and what the optimizer remembers are f32.
    Bf16,
    /// bfloat16 throughout: weights and what the optimizer remembers too, rounded stochastically after each step, which is
    /// computed in f32.
    Bf16Stochastic,
}

impl Precision {
    /// As the spec and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Bf16Stochastic => "bf16_stochastic",
        }
    }
}
