//! Names that a model cannot have: its trainer is a crate of that name.

use svspec_diagnostics::{Diagnostic, Span};

/// The keywords of Rust, kept ones among them, and `_`.
const KEYWORDS: [&str; 53] = [
    "_", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do",
    "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "Self",
    "static", "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// Crates that code names without declaring them, and folders that cargo keeps in its target folder.
const TAKEN: [&str; 10] = [
    "alloc",
    "build",
    "core",
    "deps",
    "examples",
    "incremental",
    "proc_macro",
    "std",
    "svspec_runtime",
    "test",
];

/// Why no crate can have this name; `None` if one can.
pub fn reserved(name: &str) -> Option<&'static str> {
    if KEYWORDS.contains(&name) {
        return Some("it is a keyword of Rust");
    }
    TAKEN.contains(&name).then_some("cargo or rustc keeps it for itself")
}

/// The fault of a target with such a name.
pub(super) fn check(name: &str, span: Span) -> Option<Diagnostic> {
    let reason = reserved(name)?;
    let message = format!("`{name}` cannot be the name of a model or variant: {reason}");
    let other = format!("{}_model", name.trim_start_matches('_'));
    Some(Diagnostic::error("reserved-name", message).at(span, "reserved").help(format!(
        "the trainer is a crate of that name: give it another, such as `{}`",
        other.trim_start_matches('_')
    )))
}
