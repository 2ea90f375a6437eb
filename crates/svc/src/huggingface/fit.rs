//! A checked model and a family in; the family's config for it, and which of the family's tensors is which of ours, out,
//! or why the model is not of that family.

use super::facts::facts;
use super::{Family, config, data};
use crate::outcome::Faulty;
use anyhow::{Context as _, bail};
use serde_json::{Map, Value};
use svspec_diagnostics::{Severity, Sources};
use svspec_ir::CheckedModel;
use svspec_ir::correspondence::{Correspondence, Mismatch, correspondence};
use svspec_ir::foreign::ForeignInstance;

/// How a model is one of a family.
#[derive(Debug)]
pub struct Fit {
    /// The `config.json`, but for how numbers are written.
    pub config: Map<String, Value>,
    /// The model that the config describes, under the names of the family's spec.
    pub family_model: CheckedModel,
    /// How ours is that model.
    pub correspondence: Correspondence,
    /// The tensors as transformers stores them, and what of the family's model each holds.
    pub tensors: Vec<ForeignInstance>,
}

impl Fit {
    /// The vectors of ours that go into weights, as people list them.
    pub fn folded_paths(&self, ours: &CheckedModel) -> Vec<String> {
        let vectors = self.correspondence.folded.iter().filter_map(|id| ours.model().scales.get(id.0));
        let paths: Vec<&str> = vectors.map(|scale| scale.path.as_str()).collect();
        svspec_ir::print::paths::joined(&paths)
    }
}

/// Why a model is not of a family.
#[derive(Debug)]
pub enum Misfit {
    /// Something that its config states is not there.
    Lacks(String),
    /// No config of the family says what the model says; what is wrong with the one that comes nearest.
    NoConfig(String),
    /// It computes something else.
    Differs(Mismatch),
}

impl Misfit {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Lacks(what) => format!("this model has no {what}"),
            Self::NoConfig(faults) => faults.trim_end().to_owned(),
            Self::Differs(mismatch) => mismatch.difference.to_string(),
        }
    }

    /// How far the model is like one of the family, in ops.
    pub fn num_met(&self) -> usize {
        match self {
            Self::Lacks(_) | Self::NoConfig(_) => 0,
            Self::Differs(mismatch) => mismatch.num_met,
        }
    }
}

/// Fits `ours` to `family`: the config is derived, imported again, and its graph compared with ours.
pub fn fit(ours: &CheckedModel, family: &Family) -> anyhow::Result<Result<Fit, Misfit>> {
    let Some(facts) = facts(ours.model()) else { return Ok(Err(Misfit::Lacks("layers".to_owned()))) };
    let facts = serde_json::to_value(&facts).context("facts are plain data")?;
    let is_lacking = |(fact, _): &(&String, &String)| facts.get(fact).is_none_or(Value::is_null);
    let lacking: Vec<&str> =
        family.needs.iter().filter(is_lacking).map(|(_, words)| words.as_str()).collect();
    if !lacking.is_empty() {
        return Ok(Err(Misfit::Lacks(lacking.join(", and no "))));
    }
    let context = tera::Context::from_serialize(&facts).context("facts are plain data")?;
    let text = data::render(&format!("{}.config.json", family.model_type), &context)?;
    let config: Map<String, Value> = serde_json::from_str(&text)
        .with_context(|| format!("the config's template of {}", family.model_type))?;
    if let Some(refusal) = refusal(family, &config) {
        return Ok(Err(Misfit::NoConfig(refusal)));
    }
    let spec = match config::spec(family, "family", &config) {
        Err(error) if error.is::<Faulty>() => return Ok(Err(Misfit::NoConfig(error.to_string()))),
        spec => spec?,
    };
    // What a config can state need not be a model: heads that do not divide the width, say.
    let family_model = match compile(&spec) {
        Err(error) => return Ok(Err(Misfit::NoConfig(error.to_string()))),
        Ok(model) => model,
    };
    let correspondence = match correspondence(ours, family_model.model()) {
        Err(mismatch) => return Ok(Err(Misfit::Differs(mismatch))),
        Ok(correspondence) => correspondence,
    };
    let unnamed = family_model.model().without_foreign_name();
    if !unnamed.is_empty() {
        bail!("the spec of {} has no name for {}", family.model_type, unnamed.join(", "));
    }
    let tensors = family_model.model().foreign_instances();
    Ok(Ok(Fit { config, family_model, correspondence, tensors }))
}

/// Why transformers would load no such model, though it can be computed.
fn refusal(family: &Family, config: &Map<String, Value>) -> Option<String> {
    let whole = |field: &String| config.get(field).and_then(Value::as_u64);
    let of_one = family.whole.iter().filter(|&field| whole(field).is_none()).find_map(|field| {
        let value = config.get(field)?;
        Some(format!("transformers refuses a `{field}` of {value}, which is not whole"))
    });
    let of_two = || {
        family.multiples.iter().find_map(|(field, divisor)| {
            let (value, by) = (whole(field)?, whole(divisor)?);
            (!value.is_multiple_of(by)).then(|| {
                format!(
                    "transformers refuses a `{field}` of {value}, which is no multiple of `{divisor}`, {by}"
                )
            })
        })
    };
    of_one.or_else(of_two)
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
