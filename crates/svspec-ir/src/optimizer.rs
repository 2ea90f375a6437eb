//! What the `optimizer` block says, rules aside; what steps a tensor; and how Muon reads a tensor as matrices.

use crate::{Dim, Param, ParamKind};
use serde::Serialize;

/// The settings of the block; decay, and which algorithm steps which tensor, is set by rules.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Optimizer {
    /// The peak learning rate; a rule's `lr` multiplies it.
    pub lr: f64,
    /// AdamW's β1 and β2, where no rule says otherwise (Loshchilov & Hutter, arXiv 1711.05101).
    pub betas: (f64, f64),
    /// AdamW's ε, where no rule says otherwise.
    pub eps: f64,
    /// Muon's settings, if some rule uses it.
    pub muon: Option<Muon>,
    /// SGD's settings, if some rule uses it.
    pub sgd: Option<Sgd>,
}

/// Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): momentum `m ← μ m + (1 − μ) g`, orthogonalised by
/// Newton-Schulz iterations in bf16.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Muon {
    /// The peak learning rate of its tensors; `None`: the block's.
    pub lr: Option<f64>,
    /// μ.
    pub momentum: f64,
    /// Whether `μ m + (1 − μ) g` is orthogonalised rather than m.
    pub nesterov: bool,
    /// Newton-Schulz iterations.
    pub ns_steps: u32,
    /// The factor on the orthogonalised matrix.
    pub scale: MuonScale,
}

/// The factor on an update of shape `[out, in]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MuonScale {
    /// `r · sqrt(max(out, in))`, which makes the root mean square of the update about r (arXiv 2502.16982, r = 0.2).
    Rms(f64),
    /// `sqrt(max(1, out / in))` (Jordan et al. 2024).
    SqrtRatio,
}

/// Gradient descent with momentum `m ← μ m + g`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sgd {
    /// The peak learning rate of its tensors; `None`: the block's.
    pub lr: Option<f64>,
    /// μ; 0 is none.
    pub momentum: f64,
    /// Whether a step takes `g + μ m` rather than m.
    pub nesterov: bool,
}

impl Default for Optimizer {
    fn default() -> Self {
        Self { lr: 1e-3, betas: (0.9, 0.95), eps: 1e-8, muon: None, sgd: None }
    }
}

impl Default for Muon {
    fn default() -> Self {
        Self { lr: None, momentum: 0.95, nesterov: true, ns_steps: 5, scale: MuonScale::Rms(0.2) }
    }
}

impl Default for Sgd {
    fn default() -> Self {
        Self { lr: None, momentum: 0.0, nesterov: false }
    }
}

/// What steps a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// AdamW.
    AdamW {
        /// β1 and β2.
        betas: (f64, f64),
        /// ε.
        eps: f64,
    },
    /// Muon.
    Muon(Split),
    /// SGD.
    Sgd,
    /// Nothing: the load of experts moves it, and no gradient does.
    Load,
}

/// What Muon takes as one matrix of a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// All heads together.
    Whole,
    /// Each head by itself.
    Head,
}

impl Algorithm {
    /// As a rule writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AdamW { .. } => "adamw",
            Self::Muon(Split::Whole) => "muon",
            Self::Muon(Split::Head) => "muon(head)",
            Self::Sgd => "sgd",
            Self::Load => "load",
        }
    }

    /// Its name, whatever it takes as a matrix.
    pub fn family(self) -> &'static str {
        match self {
            Self::AdamW { .. } => "adamw",
            Self::Muon(_) => "muon",
            Self::Sgd => "sgd",
            Self::Load => "load",
        }
    }

    /// The numbers that it remembers for each entry.
    pub fn num_memories(self, optimizer: &Optimizer) -> usize {
        match self {
            Self::AdamW { .. } => 2,
            Self::Muon(_) => 1,
            Self::Sgd => usize::from(optimizer.sgd.is_some_and(|sgd| sgd.momentum > 0.0)),
            Self::Load => 0,
        }
    }
}

impl Optimizer {
    /// The peak learning rate of an algorithm's tensors, before rules multiply it.
    pub fn peak(&self, algorithm: Algorithm) -> f64 {
        let own = match algorithm {
            Algorithm::AdamW { .. } => None,
            Algorithm::Muon(_) => self.muon.and_then(|muon| muon.lr),
            Algorithm::Sgd => self.sgd.and_then(|sgd| sgd.lr),
            Algorithm::Load => Some(0.0),
        };
        own.unwrap_or(self.lr)
    }
}

/// A tensor as matrices `[out, in]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matrices {
    /// The axis along which they are stacked: of experts, or of heads.
    pub stacked: Option<usize>,
    /// The leading axes, the stacked one aside, that are outputs.
    pub num_out: usize,
}

impl Matrices {
    /// One matrix, its first axis the outputs.
    pub const PLAIN: Self = Self { stacked: None, num_out: 1 };

    /// How Muon reads a parameter; `None` if it has no axis of heads to be split by.
    pub fn of(param: &Param, split: Split) -> Option<Self> {
        let is_head = |dim: &Dim| ["heads", "kv_heads"].contains(&dim.name.as_str());
        let experts =
            param.dims.first().filter(|dim| dim.name == "experts" && param.kind == ParamKind::Weight);
        let stacked = match (split, experts) {
            (Split::Whole, None) => None,
            (Split::Whole, Some(_)) => Some(0),
            (Split::Head, _) => Some(param.dims.iter().position(is_head)?),
        };
        let is_out = stacked.is_some_and(|axis| axis < param.num_out_dims);
        let num_out = param.num_out_dims.saturating_sub(usize::from(is_out)).max(1);
        Some(Self { stacked, num_out })
    }

    /// Outputs and inputs of each.
    pub fn shape(self, param: &Param) -> (usize, usize) {
        let axes = param.dims.iter().enumerate().filter(|(axis, _)| Some(*axis) != self.stacked);
        let sizes: Vec<usize> = axes.map(|(_, dim)| dim.size).collect();
        let (out, num_in) = sizes.split_at(self.num_out.min(sizes.len()));
        (out.iter().product(), num_in.iter().product())
    }
}
