//! Text to syntax tree, and back by the formatter. See `grammar/svspec.pest` for the grammar.

pub mod ast;
mod parse;

pub use parse::parse;
