//! Rows of a table, chosen by token id.

use crate::ParamId;
use serde::Serialize;

/// `y = table[token]`; input: tokens; output `[width]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Embed {
    /// The table, `[vocab, width]`.
    pub table: ParamId,
}
