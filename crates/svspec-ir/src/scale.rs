//! Scale vectors: γ of `y = γ ⊙ x`, a first-class value with a site, a form, and a proved role.

use crate::{Dims, ParamId, RegionId, Role};
use serde::Serialize;
use svspec_diagnostics::Span;

/// Names a [`ScaleVector`] of a model: its index in `Model::scales`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ScaleId(pub usize);

/// Where a scale vector was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// The gain of a norm part.
    Norm,
    /// An `in` port of a linear map.
    LinearInput,
    /// An `out` port of a linear map.
    LinearOutput,
    /// An `out` port of an attention's q or k: the gain of a QK-norm where a normalisation precedes it.
    QkHead,
    /// A `scale` part used in an equation: LayerScale, ReZero.
    Residual,
}

/// How γ is computed from its parameters. Source: arXiv 2605.26895, section on reparameterisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleForm {
    /// `γ = α`; parameters `[whole]`, init 1.
    Direct,
    /// `γ = 1 + α`; parameters `[whole]`, init 0. Decay pulls γ to 1 (Gemma).
    OnePlus,
    /// OR: `γ = β · α / RMS(α)`; parameters `[magnitude, direction]`, init β = 1, α = 1.
    MagnitudeDirection,
    /// ER: `γ = exp(β) · exp(α − mean(α))`; parameters `[magnitude, direction]`, init β = 0, α = 0.
    ExpMagnitudeDirection,
}

/// A scale vector of one region.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScaleVector {
    /// `attn_norm.scale`, `attn.q.in_scale`, `mlp.up.out_scale`; unique within its region.
    pub path: String,
    /// The region it belongs to.
    pub region: RegionId,
    /// Where it was placed.
    pub site: Site,
    /// How γ is computed.
    pub form: ScaleForm,
    /// γ's shape: a suffix of the dimensions of what it multiplies (a size-1 dimension broadcasts); empty for a scalar.
    pub dims: Dims,
    /// Its parameters, in the order that the form lists.
    pub params: Vec<ParamId>,
    /// The role the author claims, if any; the compiler contradicts a wrong one.
    #[serde(skip)]
    pub asserted: Option<(Role, Span)>,
    /// The statement that placed it.
    #[serde(skip)]
    pub span: Span,
}
