//! Linear maps. One projection is a plain matrix product; several share one product over the same input.

use crate::{Dims, ParamId, ScaleId};
use serde::Serialize;

/// One weight of a linear map and the scale vectors that have been moved onto it: `diag(row) W diag(column)`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Projection {
    /// `W`, `[out…, in…]`.
    pub weight: ParamId,
    /// Its output dimensions.
    pub out: Dims,
    /// γ on the input channels, applied to the weight; set only by a rewrite.
    pub column_scale: Option<ScaleId>,
    /// γ on the output channels, applied to the weight; set only by a rewrite.
    pub row_scale: Option<ScaleId>,
}

/// `y = W x`, contracting the last `num_in_dims` dimensions of the input (all of them).
/// Output: the projection's dimensions; of several, one dimension `fused` with their outputs flat, one after another,
/// which `slice` nodes take apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Linear {
    /// At least one. More than one only after a rewrite.
    pub projections: Vec<Projection>,
}
