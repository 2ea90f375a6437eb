//! The parser that pest derives from `grammar/svspec.pest`.
use pest_derive::Parser;

/// Applies a rule of the grammar to a text.
#[derive(Parser)]
#[grammar = "../../grammar/svspec.pest"]
pub struct Grammar;
