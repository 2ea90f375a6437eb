//! Parameter tensors. A [`Param`] is a template: one per region; an [`Instance`] is one tensor of the model.

use crate::{Dims, PerLayer, RegionId, dim};
use serde::Serialize;
use svspec_diagnostics::Span;

/// Names a [`Param`] of a model: its index in `Model::params`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ParamId(pub usize);

/// What a parameter is, for the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamKind {
    /// The matrix of a linear map, `[out…, in…]`.
    Weight,
    /// The token table, `[vocab, width]`; of tied heads too.
    Embedding,
    /// Part of a scale vector.
    Scale,
    /// An additive vector.
    Bias,
    /// The matrix that scores experts, `[experts, width]`.
    Router,
    /// A vector on the scores of experts that is moved by their load, not by its gradient; the rules do not reach it.
    Correction,
}

/// Which component of a scale vector's parameterisation a tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScalePart {
    /// The vector itself (direct and `one_plus` forms).
    Whole,
    /// β of a magnitude-direction form, a scalar.
    Magnitude,
    /// α of a magnitude-direction form, a vector.
    Direction,
}

/// How a tensor is filled at step 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// Gaussian with mean 0.
    Normal {
        /// Its standard deviation.
        std: f64,
    },
    /// The same without what is more than three standard deviations from 0.
    TruncatedNormal {
        /// That of the distribution before it is cut.
        std: f64,
    },
    /// Uniform from `-bound` to `bound`.
    Uniform {
        /// The largest entry.
        bound: f64,
    },
    /// Every entry the same.
    Constant(f64),
}

/// How a tensor is filled at step 0 where no rule says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DefaultInit {
    /// Gaussian with mean 0.
    Normal {
        /// Its standard deviation.
        std: f64,
    },
    /// Every entry the same.
    Constant(PerLayer),
}

impl DefaultInit {
    /// The init in layer `layer`, from 0; `None` outside the stack.
    pub fn at(&self, layer: Option<usize>) -> Init {
        match self {
            Self::Normal { std } => Init::Normal { std: *std },
            Self::Constant(value) => Init::Constant(value.at(layer)),
        }
    }

    /// The same number in every layer.
    pub const fn constant(value: f64) -> Self {
        Self::Constant(PerLayer::Uniform(value))
    }
}

/// A parameter of one region; a layer region has one tensor per layer for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Param {
    /// `attn.q.weight`, `attn_norm.scale`, `embed.weight`; unique within its region.
    pub path: String,
    /// The region it belongs to.
    pub region: RegionId,
    /// What it is.
    pub kind: ParamKind,
    /// Which part of a scale vector; `None` unless `kind` is `Scale`.
    pub scale_part: Option<ScalePart>,
    /// Its shape. A weight lists its output dimensions, then its input dimensions; a scalar has none.
    pub dims: Dims,
    /// The number of leading dimensions of a weight that are outputs; 0 for others.
    pub num_out_dims: usize,
    /// Its init where no rule says otherwise.
    pub default_init: DefaultInit,
    /// The statement that made it.
    #[serde(skip)]
    pub span: Span,
}

impl Param {
    /// How many channels one output of a matrix sums over, and how many outputs it has; of experts' matrices, each one's.
    /// `None` for what is no linear map's matrix.
    pub fn fans(&self) -> Option<(usize, usize)> {
        let num_experts = match self.kind {
            ParamKind::Weight if self.num_out_dims > 1 => {
                self.dims.first().filter(|dim| dim.name == "experts").map_or(1, |dim| dim.size)
            }
            ParamKind::Weight | ParamKind::Router => 1,
            ParamKind::Embedding | ParamKind::Scale | ParamKind::Bias | ParamKind::Correction => return None,
        };
        let (out, inputs) = self.dims.split_at_checked(self.num_out_dims)?;
        Some((dim::num_elements(inputs), dim::num_elements(out) / num_experts))
    }
}

/// One tensor of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Instance {
    /// Its template.
    pub param: ParamId,
    /// The layer it belongs to, from 0; `None` outside the stack.
    pub layer: Option<usize>,
}
