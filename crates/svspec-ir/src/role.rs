//! What data flow proves of a scale vector: its role, and whether it folds into neighbouring weights.

use crate::{ParamId, ScaleId};
use serde::Serialize;

/// The role in the sense of arXiv 2605.26895: of an Input-Norm or of an Output-Norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// All that reads it is a linear map. Weight decay helps.
    Input,
    /// Something else reads it. Weight decay hurts.
    Output,
}

/// A parameter that can take γ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fold {
    /// The parameter.
    pub weight: ParamId,
    /// For each of its columns (or rows, or a bias's entries), counted flat, the entry of γ that multiplies it, if
    /// one does.
    pub channels: Vec<Option<usize>>,
}

/// Whether γ folds exactly into neighbouring weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Absorption {
    /// Into the columns of every linear map that reads it, directly or through ops that commute with it. A weight
    /// listed twice takes γ twice.
    IntoColumns(Vec<Fold>),
    /// Into the rows of each weight, and the entries of each bias, that produces what it multiplies; of an embedding
    /// table, the columns.
    IntoRows(Vec<Fold>),
    /// Not at all, and why, in words.
    None(String),
}

/// The evidence for a role or an absorption: one line per step along the data flow, as `svc explain` prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// In the order of the flow: "`attn_norm.scale` multiplies `n`", "`n` is read by `attn.q`, a linear map", …
    pub steps: Vec<String>,
}

/// All that is proved of one scale vector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScaleFacts {
    /// Which.
    pub scale: ScaleId,
    /// Its role.
    pub role: Role,
    /// Why.
    pub role_proof: Proof,
    /// Whether it folds.
    pub absorption: Absorption,
    /// Why.
    pub absorption_proof: Proof,
}
