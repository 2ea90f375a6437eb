//! One op as text: its name, and its attributes as the language calls them.

use super::number::rounded;
use crate::{Dim, Model, Op, PerLayer};

/// `normalize[rms, eps 1e-5]`, `linear[attn.q.weight]`; `dims` are the result's dimensions.
pub fn head(model: &Model, op: &Op, dims: &[Dim]) -> String {
    let op = op.operation();
    let attributes =
        op.attributes(dims).into_iter().map(|(name, value)| format!("{name} {value}").trim_end().to_owned());
    let inside: Vec<String> = op.subject(model).into_iter().chain(attributes).collect();
    if inside.is_empty() { op.name().to_owned() } else { format!("{}[{}]", op.name(), inside.join(", ")) }
}

/// `2`, or `1, 0.7071, 0.5774` where layers differ.
pub fn per_layer(value: &PerLayer) -> String {
    match value {
        PerLayer::Uniform(value) => rounded(*value),
        PerLayer::Each(values) => values.iter().map(|&value| rounded(value)).collect::<Vec<_>>().join(" "),
    }
}
