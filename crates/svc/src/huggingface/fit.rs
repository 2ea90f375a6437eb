//! A checked model and a family in; the family's config for it, and which of the family's tensors is which of ours, out,
//! or why the model is not of that family.

use super::facts::facts;
use super::{Family, config, data};
use anyhow::{Context as _, bail};
use serde_json::{Map, Value};
use svspec_diagnostics::{Severity, Sources};
use svspec_ir::CheckedModel;
use svspec_ir::correspondence::{Correspondence, correspondence};
use svspec_ir::foreign::ForeignInstance;

/// How a model is one of a family.
#[derive(Debug)]
pub struct Fit {
    /// The `config.json`.
    pub config: Map<String, Value>,
    /// The model that the config describes, under the names of the family's spec.
    pub family_model: CheckedModel,
    /// How ours is that model.
    pub correspondence: Correspondence,
    /// The tensors as transformers stores them, and what of the family's model each holds.
    pub tensors: Vec<ForeignInstance>,
}

/// Fits `ours` to `family`: the config is derived, imported again, and its graph compared with ours.
pub fn fit(ours: &CheckedModel, family: &Family) -> anyhow::Result<Fit> {
    let facts = facts(ours.model()).context("it has no layers")?;
    let facts = serde_json::to_value(&facts).context("facts are plain data")?;
    let is_lacking = |(fact, _): &(&String, &String)| facts.get(fact).is_none_or(Value::is_null);
    let lacking: Vec<&str> =
        family.needs.iter().filter(is_lacking).map(|(_, words)| words.as_str()).collect();
    if !lacking.is_empty() {
        bail!("this model has no {}", lacking.join(", and no "));
    }
    let mut context = tera::Context::from_serialize(&facts).context("facts are plain data")?;
    context.insert("dtype", "float32");
    let template = || format!("the config's template of {}", family.model_type);
    let text = data::render(&format!("{}.config.json", family.model_type), &context)?;
    let config: Map<String, Value> = serde_json::from_str(&text).with_context(template)?;
    let family_model = compile(&config::spec(family, "family", &config)?)?;
    let correspondence = correspondence(ours, family_model.model())?;
    let unnamed = family_model.model().without_foreign_name();
    if !unnamed.is_empty() {
        bail!("the family's spec has no name for {}", unnamed.join(", "));
    }
    let tensors = family_model.model().foreign_instances();
    Ok(Fit { config, family_model, correspondence, tensors })
}

/// Compiles a spec that holds one model; an error holds what is found, rendered.
pub fn compile(text: &str) -> anyhow::Result<CheckedModel> {
    let mut sources = Sources::new();
    let entry = sources.add("the family's spec", text);
    let (program, found) = svspec_ir::load::load(&mut sources, entry, &mut crate::read::Origin::Disk);
    let target = program.default_target().unwrap_or_default().to_owned();
    let found: Vec<_> = found.into_iter().filter(|found| found.severity == Severity::Error).collect();
    if !found.is_empty() {
        bail!("{}", svspec_diagnostics::render_text(&found, &sources, svspec_diagnostics::Color::Plain));
    }
    match svspec_ir::compile(&program, &sources, &target) {
        Ok(compiled) => Ok(compiled.checked),
        Err(found) => {
            bail!("{}", svspec_diagnostics::render_text(&found, &sources, svspec_diagnostics::Color::Plain))
        }
    }
}
