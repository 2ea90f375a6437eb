//! A `config.json` and its family in; the spec that means the same out, or every field that has no meaning in it.

mod fields;

use super::{Family, data, stack};
use crate::outcome::Faulty;
use anyhow::Context as _;
use fields::fields;
use serde::Serialize;
use serde_json::{Map, Value};
use svspec_diagnostics::SourceId;
use svspec_ir::print::number::{grouped, shortest};

/// The kind of layers where all are of one kind.
const ONLY_KIND: &str = "layer";

/// How the names of transformers' classes end that give logits over the vocabulary.
const HEADS: [&str; 2] = ["ForCausalLM", "LMHeadModel"];

/// The most that a spec's stack may have.
const MOST_LAYERS: u64 = 4096;

/// A kind of layer, for templates.
#[derive(Serialize)]
struct Kind {
    /// Its name.
    name: String,
    /// How a spec's statement of it begins.
    layer: String,
    /// The name of its attention.
    attn: String,
}

impl Kind {
    fn of(name: &str) -> Self {
        let (layer, attn) = match name {
            ONLY_KIND => (ONLY_KIND.to_owned(), "attn".to_owned()),
            name => (format!("layer {name}"), format!("{name}_attn")),
        };
        Self { name: name.to_owned(), layer, attn }
    }
}

/// The family that a config names.
pub fn model_type(config: &Map<String, Value>) -> anyhow::Result<&str> {
    let named = config.get("model_type").and_then(Value::as_str);
    named.context("it has no `model_type`: is it the `config.json` of a model of transformers?")
}

/// The spec, laid out as `svc fmt` would; its model is called `name`.
pub fn spec(family: &Family, name: &str, config: &Map<String, Value>) -> anyhow::Result<String> {
    let faulty = |faults: Vec<String>| {
        let mut text = format!("error: the config does not fit a spec of {}:\n", family.model_type);
        text.extend(faults.iter().map(|fault| format!("  {fault}\n")));
        Faulty(text)
    };
    let mut found = fields(family, config);
    if let Some(fault) = other_than_language_model(config) {
        match &mut found {
            Ok(_) => found = Err(vec![fault]),
            Err(faults) => faults.insert(0, fault),
        }
    }
    let fields = found.map_err(faulty)?;
    let num_layers = num_layers(&fields).map_err(|fault| faulty(vec![fault]))?;
    let layers = layers(family, &fields, num_layers)?;
    let mut names: Vec<&str> = layers.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    // The kind that comes first is written first.
    names.sort_by_key(|name| layers.iter().position(|layer| layer == name));

    let mut context = tera::Context::new();
    context.insert("name", name);
    context.insert("about", &family.about);
    context.insert("kinds", &names.into_iter().map(Kind::of).collect::<Vec<_>>());
    context.insert("stack", &stack::expression(&layers));
    context.insert("config", &fields);
    for flag in ["has_input_scales", "has_output_scales", "has_bias", "has_router"] {
        context.insert(flag, &false);
    }
    context.insert("dropouts", &dropouts(family, config));
    for (field, value) in &fields {
        context.insert(field.clone(), &shown(value));
    }
    let text = data::render(&format!("{}.svspec", family.model_type), &context)?;
    let (file, _) = svspec_syntax::parse(SourceId(0), &text);
    Ok(svspec_syntax::format(&file))
}

/// What the config drops out in training, if it drops anything: `attn_pdrop = 0.1, resid_pdrop = 0.1`.
pub fn dropouts(family: &Family, config: &Map<String, Value>) -> Option<String> {
    let is_nothing = |value: &Value| value.is_null() || value.as_f64() == Some(0.0);
    let given =
        config.iter().filter(|(field, value)| family.fields.dropout.contains(field) && !is_nothing(value));
    let shown: Vec<String> = given.map(|(field, value)| format!("{field} = {value}")).collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}

/// What is wrong if the config is of a model with another head than one to the vocabulary. transformers names classes so that the end says it.
fn other_than_language_model(config: &Map<String, Value>) -> Option<String> {
    let classes = config.get("architectures")?.as_array()?.iter().filter_map(Value::as_str);
    let other = classes.into_iter().find(|class| !HEADS.iter().any(|head| class.ends_with(head)))?;
    Some(format!(
        "`architectures` has \"{other}\", and a spec is of a language model: known are names that end in {}",
        HEADS.join(" or ")
    ))
}

/// How many layers there are.
fn num_layers(fields: &Map<String, Value>) -> Result<u64, String> {
    let mut given =
        ["num_hidden_layers", "n_layer"].iter().filter_map(|field| Some((field, fields.get(*field)?)));
    let (field, value) = given.next().ok_or("it has no layers")?;
    let number = value.as_u64().filter(|number| (1..=MOST_LAYERS).contains(number));
    number.ok_or_else(|| format!("`{field}` is {value}: a stack has 1 to {MOST_LAYERS} layers"))
}

/// The kind of each layer.
fn layers(family: &Family, fields: &Map<String, Value>, num_layers: u64) -> anyhow::Result<Vec<String>> {
    let kind = |layer: u64| {
        let Some(template) = &family.layer_kind else { return Ok(ONLY_KIND.to_owned()) };
        let mut context = tera::Context::from_serialize(fields).context("fields are plain data")?;
        context.insert("layer", &layer);
        data::render_text(template, &context)
    };
    (0..num_layers).map(kind).collect()
}

/// Numbers as a person would write them, and exactly.
fn shown(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or(value.clone(), |number| exact(number).into()),
        Value::Array(entries) => entries.iter().map(shown).collect(),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Object(_) => value.clone(),
    }
}

fn exact(number: f64) -> String {
    if number.fract() == 0.0 && (10_000.0..1e15).contains(&number) {
        return grouped(number as u64).replace(',', "_");
    }
    let short = shortest(number);
    let is_exact = short.parse().is_ok_and(|parsed: f64| parsed.to_bits() == number.to_bits());
    if is_exact { short } else { number.to_string() }
}
