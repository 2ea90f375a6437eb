//! What can keep a checked model from becoming a crate.

/// Why no files came out.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// Cargo could not build a package of this name.
    #[error("`{name}` cannot be the name of a crate: {reason}; give the model or variant another name")]
    CrateName {
        /// The target's name.
        name: String,
        /// Why cargo or rustc keeps it.
        reason: &'static str,
    },
    /// The emitted tokens are not Rust; a fault of the compiler.
    #[error("the code generated for `{file}` does not parse: {source}")]
    NotRust {
        /// The file within the crate.
        file: &'static str,
        /// What the parser says.
        source: syn::Error,
    },
    /// A template could not be filled; a fault of the compiler.
    #[error("the template of `{file}` cannot be filled: {source}")]
    Template {
        /// The file within the crate.
        file: String,
        /// What the template engine says.
        source: tera::Error,
    },
    /// The embedded lock file lacks a package that the generated crate needs; a fault of the compiler's build.
    #[error("the lock file that this compiler was built with does not hold `{package}`")]
    NotLocked {
        /// The package.
        package: &'static str,
    },
}
