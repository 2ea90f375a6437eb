//! A `config.json` and its family in; the spec that means the same out, or every field that has no meaning in it.

use super::Family;
use crate::outcome::Faulty;
use anyhow::Context as _;
use serde_json::{Map, Value};
use svspec_diagnostics::SourceId;
use svspec_ir::print::number::shortest;

/// The family that a config names.
pub fn model_type(config: &Map<String, Value>) -> anyhow::Result<&str> {
    let named = config.get("model_type").and_then(Value::as_str);
    named.context("it has no `model_type`: is it the `config.json` of a model of transformers?")
}

/// The spec, laid out as `svc fmt` would; its model is called `name`.
pub fn spec(family: &Family, name: &str, config: &Map<String, Value>) -> anyhow::Result<String> {
    let fields = fields(family, config).map_err(|faults| {
        let mut text = format!("error: the config does not fit a spec of {}:\n", family.model_type);
        text.extend(faults.iter().map(|fault| format!("  {fault}\n")));
        Faulty(text)
    })?;
    let mut context = tera::Context::new();
    context.insert("name", name);
    context.insert("about", &family.about);
    for (field, value) in &fields {
        context.insert(field.clone(), &shown(value));
    }
    let text = tera::Tera::one_off(family.spec_template, &context, false)
        .with_context(|| format!("the spec's template of {}", family.model_type))?;
    let (file, _) = svspec_syntax::parse(SourceId(0), &text);
    Ok(svspec_syntax::format(&file))
}

/// Numbers as a person would write them.
fn shown(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or(value.clone(), |number| shortest(number).into()),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => value.clone(),
    }
}

/// The fields that the template reads, or all that is wrong with the config.
fn fields(family: &Family, config: &Map<String, Value>) -> Result<Map<String, Value>, Vec<String>> {
    let mut fields = family.defaults.clone();
    let mut faults = Vec::new();
    for (field, value) in flat(family, config) {
        if let Some(allowed) = family.fixed.get(&field) {
            let values = match &value {
                Value::Array(values) => values.as_slice(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                    std::slice::from_ref(&value)
                }
            };
            if let Some(other) = values.iter().find(|value| !value.is_null() && !allowed.contains(value)) {
                let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
                faults.push(format!("`{field}` is {other}: only {} is known", allowed.join(" or ")));
            }
        } else if family.required.contains(&field) || family.defaults.contains_key(&field) {
            let is_odd = matches!(value, Value::Array(_) | Value::Object(_) | Value::String(_));
            let is_missing = value.is_null() && family.required.contains(&field);
            if is_odd || is_missing {
                faults.push(format!("`{field}` is {value}, not a number or a switch"));
            }
            fields.insert(field, value);
        } else if !family.inert.contains(&field) && field != "model_type" {
            faults.push(format!("`{field}` is unknown, so its {value} may mean something"));
        }
    }
    for field in family.required.iter().filter(|field| !fields.contains_key(*field)) {
        faults.push(format!("`{field}` is missing"));
    }
    if faults.is_empty() { Ok(fields) } else { Err(faults) }
}

/// The fields under their main names; those of an object, unless it is inert as a whole, one by one. A field without a
/// value says nothing.
fn flat(family: &Family, config: &Map<String, Value>) -> Vec<(String, Value)> {
    let mut fields = Vec::new();
    for (name, value) in config {
        match value {
            Value::Object(inner) if !family.inert.contains(name) => {
                for (field, value) in inner {
                    let field = format!("{name}.{field}");
                    fields.push((family.aliases.get(&field).cloned().unwrap_or(field), value.clone()));
                }
            }
            Value::Null if !family.defaults.contains_key(name) && !family.required.contains(name) => {}
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => {
                let field = family.aliases.get(name).unwrap_or(name);
                fields.push((field.clone(), value.clone()));
            }
        }
    }
    fields
}
