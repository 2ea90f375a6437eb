//! A family's data: which fields of a config it reads and the templates of its spec and its config; from `templates/families/`.

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// For each family: its data, its spec as a template over config fields, its config as a template over a model's facts.
const FAMILIES: [[&str; 3]; 4] = [
    [
        include_str!("../../../../templates/families/llama.json"),
        include_str!("../../../../templates/families/llama.svspec.tera"),
        include_str!("../../../../templates/families/llama.config.json.tera"),
    ],
    [
        include_str!("../../../../templates/families/mistral.json"),
        include_str!("../../../../templates/families/mistral.svspec.tera"),
        include_str!("../../../../templates/families/mistral.config.json.tera"),
    ],
    [
        include_str!("../../../../templates/families/qwen2.json"),
        include_str!("../../../../templates/families/qwen2.svspec.tera"),
        include_str!("../../../../templates/families/qwen2.config.json.tera"),
    ],
    [
        include_str!("../../../../templates/families/qwen3.json"),
        include_str!("../../../../templates/families/qwen3.svspec.tera"),
        include_str!("../../../../templates/families/qwen3.config.json.tera"),
    ],
];

/// A family of models.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// What a config calls it.
    pub model_type: String,
    /// One line about it.
    pub about: String,
    /// Fields that a config must have.
    pub required: Vec<String>,
    /// Fields that are read, with the value that a config means by leaving one out.
    pub defaults: Map<String, Value>,
    /// Other names of fields; those within an object have its name and a dot before theirs.
    pub aliases: BTreeMap<String, String>,
    /// Fields whose value a spec cannot choose, and the values that mean what the spec means. A field may be left out.
    pub fixed: BTreeMap<String, Vec<Value>>,
    /// Fields that say nothing of the function.
    pub inert: Vec<String>,
    /// A config of a few minutes' training on a CPU, for `svc new`.
    pub small: Map<String, Value>,
    /// The spec, a template over the fields that are read; its `tensors huggingface` block names every tensor.
    #[serde(skip)]
    pub spec_template: &'static str,
    /// The config, a template over a model's facts.
    #[serde(skip)]
    pub config_template: &'static str,
}

/// All families, in the order in which an export tries them.
pub fn families() -> anyhow::Result<Vec<Family>> {
    let read = |[data, spec_template, config_template]: [&'static str; 3]| {
        let family: Family =
            serde_json::from_str(data).context("a family's data is not what it should be")?;
        Ok(Family { spec_template, config_template, ..family })
    };
    FAMILIES.into_iter().map(read).collect()
}

/// The family that configs call `model_type`.
pub fn family(model_type: &str) -> anyhow::Result<Family> {
    let families = families()?;
    if let Some(found) = families.iter().find(|family| family.model_type == model_type) {
        return Ok(found.clone());
    }
    let names: Vec<&str> = families.iter().map(|family| family.model_type.as_str()).collect();
    match svspec_diagnostics::did_you_mean(model_type, names.iter().copied()) {
        Some(near) => bail!("no family `{model_type}` is known: did you mean `{near}`?"),
        None => bail!("no family `{model_type}` is known: there are {}", names.join(", ")),
    }
}
