//! Spans, sources, one [`Diagnostic`], and its renderers. Nothing here knows the language.

mod counts;
mod diagnostic;
mod render;
mod source;
mod suggest;

pub use counts::Counts;
pub use diagnostic::{Diagnostic, Label, Severity};
pub use render::{Color, render_json, render_text};
pub use source::{Source, SourceId, Sources, Span};
pub use suggest::did_you_mean;
