//! The name of a foreign tensor, with places for what differs between its instances.

use serde::Serialize;

/// What stands for the layer, counted from 0.
const LAYER: &str = "{layer}";
/// What stands for the slice, an expert or a head, counted from 0.
const SLICES: [&str; 2] = [EXPERT, HEAD];
const EXPERT: &str = "{expert}";
const HEAD: &str = "{head}";

/// A name such as `model.layers.{layer}.mlp.experts.{expert}.up_proj.weight`. It holds no other placeholders, and
/// one of `{expert}` and `{head}` at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ForeignName(String);

impl ForeignName {
    /// A name whose placeholders have been checked.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// As written, with its placeholders.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether each layer has one of its own.
    pub fn has_layer(&self) -> bool {
        self.0.contains(LAYER)
    }

    /// Whether each head has one of its own.
    pub fn has_head(&self) -> bool {
        self.0.contains(HEAD)
    }

    /// Whether each expert has one of its own.
    pub fn has_expert(&self) -> bool {
        self.0.contains(EXPERT)
    }

    /// Whether each expert, or each head, has one of its own.
    pub fn has_slice(&self) -> bool {
        SLICES.iter().any(|slice| self.0.contains(slice))
    }

    /// The name in one layer, for one slice.
    pub fn of(&self, layer: Option<usize>, slice: Option<usize>) -> String {
        let text = match layer {
            Some(layer) => self.0.replace(LAYER, &layer.to_string()),
            None => self.0.clone(),
        };
        match slice {
            Some(slice) => SLICES.iter().fold(text, |text, word| text.replace(word, &slice.to_string())),
            None => text,
        }
    }

    /// Whether it is the name of a tensor called `name` in some layer.
    pub fn matches(&self, name: &str, num_layers: usize) -> bool {
        self.0 == name || (0..num_layers).any(|layer| self.of(Some(layer), None) == name)
    }
}
