//! The tables a generated crate fills in: what the model's parameters are, how each is trained, and for how long.

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
    /// Every parameter.
    pub params: &'static [ParamRow],
    /// The optimizer's groups; `ParamRow::group` is an index.
    pub groups: &'static [GroupRow],
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
    /// Decoupled: a step multiplies the tensor by `1 − lr · lr_multiplier · weight_decay`.
    pub weight_decay: f64,
    /// Multiplies the scheduled learning rate.
    pub lr_multiplier: f64,
    /// Whether its gradients count in the global norm and are scaled by clipping.
    pub clipped: bool,
    /// The text of the rule that made it.
    pub rule: &'static str,
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
    /// The compute type.
    pub precision: Precision,
    /// The global gradient norm to clip to.
    pub clip: Option<f64>,
    /// Steps between validation losses.
    pub eval_every: u64,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// The seed unless the command line gives one.
    pub seed: u64,
    /// The peak learning rate.
    pub lr: f64,
    /// AdamW's β1 and β2.
    pub betas: (f64, f64),
    /// AdamW's ε.
    pub eps: f64,
}

/// The learning rate over time; warm-up is linear, lengths are in steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// Constant after the warm-up.
    Constant {
        /// Steps of warm-up.
        warmup: u64,
    },
    /// Half a cosine, from the peak to `floor` times the peak.
    Cosine {
        /// Steps of warm-up.
        warmup: u64,
        /// The final fraction of the peak.
        floor: f64,
    },
    /// Warm-up, stable, then linear decay to `floor` times the peak (arXiv 2404.06395).
    Wsd {
        /// Steps of warm-up.
        warmup: u64,
        /// Steps of decay at the end.
        decay: u64,
        /// The final fraction of the peak.
        floor: f64,
    },
}

/// The type of matrix products and activations; weights and optimizer state are f32 in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit.
    F32,
    /// bfloat16, by autocast.
    Bf16,
}

impl Precision {
    /// As the spec and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }
}
