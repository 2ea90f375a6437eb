//! Spans, sources, one [`Diagnostic`], and its renderers. Nothing here knows the language.

mod diagnostic;
mod source;
mod suggest;

pub use diagnostic::{Diagnostic, Label, Severity};
pub use source::{Source, SourceId, Sources, Span};
pub use suggest::did_you_mean;
