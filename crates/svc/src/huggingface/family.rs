//! A family's data: which fields of a config it reads and which facts of a model it states; from `templates/families/`.

use super::data;
use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A family of models.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// What a config calls it; its templates have this name.
    pub model_type: String,
    /// One line about it.
    pub about: String,
    /// Of two families that a model is of, an export takes that with the smaller number: it is a case of the other.
    #[serde(default)]
    pub generality: u8,
    /// Which of the shared sets of fields it has, beside its own.
    pub with: Vec<String>,
    /// The facts that its config states and a model may lack, with what the model has not then.
    pub needs: BTreeMap<String, String>,
    /// A template over fields and `layer`, counted from 0: the kind of that layer. Without one all are of one kind.
    #[serde(default)]
    pub layer_kind: Option<String>,
    /// Fields that transformers wants to be multiples of others, whether or not the model needs it.
    #[serde(default)]
    pub multiples: BTreeMap<String, String>,
    /// Fields that transformers wants whole, whether or not the model needs it.
    #[serde(default)]
    pub whole: Vec<String>,
    /// The fields of its config.
    pub fields: Fields,
    /// A config of a few minutes' training on a CPU, for `svc new`.
    pub small: Map<String, Value>,
}

/// What is known of a config's fields. A field within an object has its name and a dot before its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fields {
    /// Fields that must be there.
    pub required: Vec<String>,
    /// Fields that are read, with the value that a config means by leaving one out.
    pub defaults: Map<String, Value>,
    /// Those of them that may be `null` though that is not what leaving them out means.
    pub nullable: Vec<String>,
    /// Other names of fields.
    pub aliases: BTreeMap<String, String>,
    /// Fields that hold a word: which words, and what each brings along.
    pub choices: BTreeMap<String, BTreeMap<String, Choice>>,
    /// Fields that hold a list with a word for each layer, or are left out: which words.
    pub each_layer: BTreeMap<String, Vec<String>>,
    /// Fields whose value a spec cannot choose, and the values that mean what the spec means. A field may be left out.
    pub fixed: BTreeMap<String, Vec<Value>>,
    /// Fields that say nothing of the function.
    pub inert: Vec<String>,
    /// Fields that say how much is dropped out in training, which no spec can.
    pub dropout: Vec<String>,
}

/// A word that a field may hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Choice {
    /// What specs call it; as configs do, if this is left out.
    pub word: Option<String>,
    /// Fields that must be there then; elsewhere they mean nothing.
    pub required: Vec<String>,
    /// Fields that are read then, as in [`Fields::defaults`]; elsewhere they mean nothing.
    pub defaults: Map<String, Value>,
}

impl Fields {
    /// Takes over what `other` has and this has not.
    fn add(&mut self, other: Self) {
        self.required.extend(other.required);
        self.nullable.extend(other.nullable);
        self.inert.extend(other.inert);
        self.dropout.extend(other.dropout);
        for (field, value) in other.defaults {
            self.defaults.entry(field).or_insert(value);
        }
        self.aliases = other.aliases.into_iter().chain(std::mem::take(&mut self.aliases)).collect();
        self.fixed = other.fixed.into_iter().chain(std::mem::take(&mut self.fixed)).collect();
        self.each_layer = other.each_layer.into_iter().chain(std::mem::take(&mut self.each_layer)).collect();
        // A field that the family holds fixed is no choice in it.
        let is_open = |field: &String| !self.fixed.contains_key(field);
        let choices: BTreeMap<_, _> = other.choices.into_iter().filter(|(field, _)| is_open(field)).collect();
        self.choices = choices.into_iter().chain(std::mem::take(&mut self.choices)).collect();
    }
}

#[cfg(test)]
impl Family {
    /// Whether a config of it may have the field.
    pub fn reads(&self, field: &str) -> bool {
        let fields = &self.fields;
        let is_fixed = fields.fixed.contains_key(field);
        fields.each_layer.contains_key(field)
            || fields.required.iter().any(|required| required == field)
            || (fields.defaults.contains_key(field) && !is_fixed)
    }
}

/// All families, in the order in which an export tries them.
pub fn families() -> anyhow::Result<Vec<Family>> {
    let mut families = data::families().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    families.sort_by(|a, b| (a.generality, &a.model_type).cmp(&(b.generality, &b.model_type)));
    Ok(families)
}

fn read((name, text): (&str, &str)) -> anyhow::Result<Family> {
    let mut family: Family =
        serde_json::from_str(text).with_context(|| format!("the data of the family `{name}`"))?;
    for set in family.with.clone() {
        let name = format!("{set}.json");
        let text = data::shared(&name).with_context(|| format!("there is no shared `{name}`"))?;
        family.fields.add(serde_json::from_str(text).with_context(|| format!("the shared `{name}`"))?);
    }
    Ok(family)
}

/// The names of all families, in alphabetical order.
pub fn names() -> Vec<&'static str> {
    data::families().map(|(name, _)| name).collect()
}

/// The family that configs call `model_type`.
pub fn family(model_type: &str) -> anyhow::Result<Family> {
    if let Some(found) = data::families().find(|(name, _)| *name == model_type) {
        return read(found);
    }
    match svspec_diagnostics::did_you_mean(model_type, names()) {
        Some(near) => bail!("no family `{model_type}` is known: did you mean `{near}`?"),
        None => bail!("no family `{model_type}` is known: there are {}", names().join(", ")),
    }
}
