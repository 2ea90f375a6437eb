//! Text to syntax tree, and back by the formatter. See `grammar/svspec.pest` for the grammar.

pub mod ast;
mod format;
mod parse;
mod print;

pub use format::{format, format_expr, format_form, format_path, format_rule, format_statement};
pub use parse::parse;
pub use print::print;
