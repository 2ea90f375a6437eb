//! What the caller adds to a checked model: the spec's source, and which rewrites run.

use svspec_ir::rewrite::Rewrites;

/// How to generate.
#[derive(Clone, Debug)]
pub struct Options {
    /// The rewrites to run before emission.
    pub rewrites: Rewrites,
    /// The spec that the model came from.
    pub spec: SpecSource,
}

/// The spec file, as the crate's header names it and as the crate keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecSource {
    /// The file's name without folders: `nano.svspec`.
    pub file_name: String,
    /// Its whole text.
    pub text: String,
}
