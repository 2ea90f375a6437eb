//! What a region is given.

use serde::Serialize;

/// A value from outside the region. Output: as the kind says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Token ids `[batch, time]`.
    Tokens,
    /// The previous region's output.
    Carried,
    /// The token ids to predict `[batch, time]`.
    Targets,
}
