//! Which parts of a matrix are kept at norm 1, and along which axes of a tensor they lie.

use crate::{Param, ParamKind, dim};
use serde::Serialize;
use std::ops::Range;

/// What has Euclidean norm 1 at step 0 and after every step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// What each output reads by, or a table's vector for each token.
    Rows,
    /// What each input writes.
    Columns,
}

impl Unit {
    /// As a rule writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Columns => "columns",
        }
    }

    /// The neighbouring axes of the parameter over which a norm is taken; `None` where a norm would have one entry, as in
    /// vectors.
    pub fn axes(self, param: &Param) -> Option<Range<usize>> {
        let num_out = match param.kind {
            ParamKind::Weight | ParamKind::Router => param.num_out_dims,
            ParamKind::Embedding => 1,
            ParamKind::Scale | ParamKind::Bias | ParamKind::Correction => return None,
        };
        // Each expert's matrix is one by itself.
        let is_stacked = param.kind == ParamKind::Weight
            && num_out > 1
            && param.dims.first().is_some_and(|dim| dim.name == "experts");
        let axes = match self {
            Self::Rows => num_out..param.dims.len(),
            Self::Columns => usize::from(is_stacked)..num_out,
        };
        let extent = dim::num_elements(param.dims.get(axes.clone()).unwrap_or_default());
        (extent > 1).then_some(axes)
    }
}
