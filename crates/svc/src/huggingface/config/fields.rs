//! A config's fields against what its family knows of them: the values that templates read out, or all that is wrong.

use crate::huggingface::Family;
use crate::huggingface::family::{Choice, Fields};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What is being found out.
struct Reading<'a> {
    family: &'a Family,
    /// By main name: the name that the config uses, and the value.
    given: BTreeMap<String, (String, Value)>,
    fields: Map<String, Value>,
    faults: Vec<String>,
}

/// The fields that templates read, or all that is wrong with the config.
pub(super) fn fields(
    family: &Family,
    config: &Map<String, Value>,
) -> Result<Map<String, Value>, Vec<String>> {
    let mut reading = Reading {
        family,
        given: BTreeMap::new(),
        fields: family.fields.defaults.clone(),
        faults: Vec::new(),
    };
    reading.fields.extend(family.fields.each_layer.keys().map(|field| (field.clone(), Value::Null)));
    reading.collect("", config);
    reading.read_choices();
    let given = std::mem::take(&mut reading.given);
    for (field, (name, value)) in &given {
        reading.read(field, name, value);
    }
    let num_layers = reading.fields.get("num_hidden_layers").and_then(Value::as_u64);
    for (_, (name, value)) in given.iter().filter(|(field, _)| family.fields.each_layer.contains_key(*field))
    {
        if let (Some(layers), Some(entries)) = (num_layers, value.as_array())
            && layers != entries.len() as u64
        {
            reading.faults.push(format!("`{name}` has {} entries for {layers} layers", entries.len()));
        }
    }
    for field in family.fields.required.iter().filter(|field| !given.contains_key(*field)) {
        reading.faults.push(format!("`{field}` is missing"));
    }
    if reading.faults.is_empty() { Ok(reading.fields) } else { Err(reading.faults) }
}

impl Reading<'_> {
    /// The fields under their main names; those of an object, unless it is inert as a whole, one by one.
    fn collect(&mut self, prefix: &str, object: &Map<String, Value>) {
        for (name, value) in object {
            let name = format!("{prefix}{name}");
            let Fields { inert, dropout, .. } = &self.family.fields;
            if inert.contains(&name) || dropout.contains(&name) {
                continue;
            }
            if let Value::Object(inner) = value {
                self.collect(&format!("{name}."), inner);
                continue;
            }
            let field = self.family.fields.aliases.get(&name).unwrap_or(&name).clone();
            match self.given.get(&field) {
                Some((_, known)) if same(known, value) || value.is_null() => {}
                Some((other, known)) if !known.is_null() => {
                    self.faults.push(format!("`{other}` is {known}, and `{name}` {value}: which holds?"));
                }
                Some(_) | None => {
                    self.given.insert(field, (name, value.clone()));
                }
            }
        }
    }

    /// Fields that hold a word, and those that the word brings along.
    fn read_choices(&mut self) {
        let fields = &self.family.fields;
        for (field, words) in &fields.choices {
            let given = self.given.remove(field).filter(|(_, value)| !value.is_null());
            let value = given.as_ref().map(|(_, value)| value).or_else(|| fields.defaults.get(field));
            let word = value.and_then(Value::as_str).unwrap_or_default();
            let Some(choice) = words.get(word) else {
                let name = given.as_ref().map_or(field, |(name, _)| name);
                let shown = value.cloned().unwrap_or_default();
                self.faults.push(format!("`{name}` is {shown}: known are {}", quoted(words.keys())));
                // What it would bring along is not known either.
                for field in brought(words) {
                    self.given.remove(field);
                }
                continue;
            };
            self.fields.insert(field.clone(), choice.word.as_deref().unwrap_or(word).into());
            for of_some in brought(words) {
                let of_this = choice.required.contains(of_some) || choice.defaults.contains_key(of_some);
                let default = choice.defaults.get(of_some).cloned().unwrap_or_default();
                self.fields.insert(of_some.clone(), default);
                let given = self.given.get(of_some).filter(|(_, value)| !value.is_null()).cloned();
                match given {
                    None if choice.required.contains(of_some) => {
                        let name = self.name_of(of_some);
                        self.faults.push(format!("`{name}` is missing, which `{field}` \"{word}\" needs"));
                    }
                    Some((name, value)) if !of_this => {
                        self.given.remove(of_some);
                        self.faults
                            .push(format!("`{name}` is {value}: with `{field}` \"{word}\" it means nothing"));
                    }
                    None | Some(_) => {}
                }
            }
        }
    }

    /// One field.
    fn read(&mut self, field: &str, name: &str, value: &Value) {
        let fields = &self.family.fields;
        if let Some(allowed) = fields.fixed.get(field) {
            if !value.is_null() && !allowed.iter().any(|allowed| same(allowed, value)) {
                let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
                self.faults.push(format!("`{name}` is {value}: only {} is known", allowed.join(" or ")));
            }
        } else if let Some(words) = fields.each_layer.get(field) {
            self.read_list(field, name, value, words);
        } else if self.fields.contains_key(field) || fields.required.iter().any(|required| required == field)
        {
            match wrong_kind(self.fields.get(field), value) {
                _ if value.is_null() && self.may_be_null(field) => {}
                Some(wanted) => self.faults.push(format!("`{name}` is {value}, not {wanted}")),
                None => {}
            }
            self.fields.insert(field.to_owned(), value.clone());
        } else if !value.is_null() {
            self.faults.push(format!("`{name}` is unknown, so its {value} may mean something"));
        }
    }

    /// A list with a word for each layer.
    fn read_list(&mut self, field: &str, name: &str, value: &Value, words: &[String]) {
        self.fields.insert(field.to_owned(), value.clone());
        let Value::Array(entries) = value else {
            if !value.is_null() {
                self.faults.push(format!("`{name}` is {value}, not a list with a word for each layer"));
            }
            return;
        };
        let is_known = |entry: &Value| words.iter().any(|word| entry.as_str() == Some(word));
        if let Some(other) = entries.iter().find(|entry| !is_known(entry)) {
            self.faults.push(format!("`{name}` has {other}: known are {}", quoted(words.iter())));
        }
    }

    fn may_be_null(&self, field: &str) -> bool {
        let fields = &self.family.fields;
        let default = self.fields.get(field).or_else(|| fields.defaults.get(field));
        default.is_some_and(Value::is_null) || fields.nullable.iter().any(|nullable| nullable == field)
    }

    /// What a config would call a field that it lacks.
    fn name_of(&self, field: &str) -> String {
        let used = |name: &str| {
            let object = name.split_once('.').map_or(name, |(object, _)| object);
            self.given.values().any(|(given, _)| given.split_once('.').is_some_and(|(of, _)| of == object))
        };
        let aliases = self.family.fields.aliases.iter().filter(|(_, main)| *main == field);
        let mut names = aliases.map(|(alias, _)| alias);
        let first = names.clone().next();
        names.find(|name| used(name)).or(first).map_or(field.to_owned(), Clone::clone)
    }
}

/// The fields that some word brings along.
fn brought(words: &BTreeMap<String, Choice>) -> BTreeSet<&String> {
    words.values().flat_map(|word| word.required.iter().chain(word.defaults.keys())).collect()
}

/// What `value` should be, where it is something else than what holds by default.
fn wrong_kind(default: Option<&Value>, value: &Value) -> Option<&'static str> {
    let (is_right, wanted) = match default {
        Some(Value::Bool(_)) => (value.is_boolean(), "a switch"),
        Some(Value::Array(_)) => (value.is_array(), "a list"),
        Some(Value::String(_)) => (value.is_string(), "a word"),
        Some(Value::Number(_) | Value::Null | Value::Object(_)) | None => (value.is_number(), "a number"),
    };
    (!is_right).then_some(wanted)
}

/// Equal, however a number is written.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.to_bits() == b.to_bits(),
        (None, _) | (_, None) => a == b,
    }
}

fn quoted<'a>(words: impl Iterator<Item = &'a String>) -> String {
    words.map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}
