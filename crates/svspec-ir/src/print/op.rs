//! One op as text: its name, and its attributes as the language calls them.

use crate::op::Attribute;
use crate::{Dim, Model, Op};

/// `normalize[rms, eps 1e-5]`, `linear[attn.q.weight]`; `dims` are the result's dimensions, `layers` those that have it.
pub fn head(model: &Model, op: &Op, dims: &[Dim], layers: &[usize]) -> String {
    let attributes = attributes(op, dims, layers);
    let op = op.operation();
    let attributes =
        attributes.into_iter().map(|(name, value)| format!("{name} {value}").trim_end().to_owned());
    let inside: Vec<String> = op.subject(model).into_iter().chain(attributes).collect();
    if inside.is_empty() { op.name().to_owned() } else { format!("{}[{}]", op.name(), inside.join(", ")) }
}

/// The attributes of an op in these layers; `1 0.7071 0.5774` where they differ.
pub fn attributes(op: &Op, dims: &[Dim], layers: &[usize]) -> Vec<Attribute> {
    let Some((first, rest)) = layers.split_first() else { return op.operation().attributes(dims) };
    let in_layer = |layer: &usize| op.in_layer(Some(*layer)).operation().attributes(dims);
    let mut attributes = in_layer(first);
    let others: Vec<Vec<Attribute>> = rest.iter().map(in_layer).collect();
    for (index, (_, value)) in attributes.iter_mut().enumerate() {
        let others = || others.iter().filter_map(|other| other.get(index)).map(|(_, value)| value.as_str());
        if others().any(|other| other != value) {
            *value = std::iter::once(value.as_str()).chain(others()).collect::<Vec<_>>().join(" ");
        }
    }
    attributes
}
