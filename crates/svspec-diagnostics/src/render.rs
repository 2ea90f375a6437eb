//! Findings to what a person or a program reads. Each form is one file.

mod json;
mod text;

pub use json::render_json;
pub use text::{Color, render_text};
