//! A run's checkpoint and a plan in; the checkpoint of the new run out. Numbers are computed in 64 bits and kept in 32; what is
//! only copied is copied bit by bit.

mod files;
mod memory;
mod unit;

pub use files::Files;

use anyhow::{Context as _, bail};
use files::{Buffer, FORMAT_VERSION};
use serde_json::{Map, Value, json};
use std::path::Path;
use svspec_ir::eval::{Tensor, Values};
use svspec_ir::migrate::{self, How, Plan, Step};
use svspec_ir::{CheckedModel, Instance};

/// The run to carry over.
#[derive(Debug)]
pub struct Old<'a> {
    /// Its spec.
    pub checked: &'a CheckedModel,
    /// The parameters of its scale vectors, by which a plan is made.
    pub vectors: Values,
    weights: files::Tensors<'a>,
    optimizer: files::Tensors<'a>,
    state: Map<String, Value>,
}

/// Where a run comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The old run's folder.
    pub run: &'a Path,
    /// Its model or variant.
    pub target: &'a str,
}

/// The new run's checkpoint, in memory.
#[derive(Debug)]
pub struct Carried {
    weights: Vec<(String, Buffer)>,
    optimizer: Vec<(String, Buffer)>,
    state: Map<String, Value>,
    /// Tensors whose memory could not go on, though the plan says so.
    lost: Vec<String>,
}

impl<'a> Old<'a> {
    /// Takes the files apart and reads the vectors.
    pub fn new(checked: &'a CheckedModel, files: &'a Files) -> anyhow::Result<Self> {
        let state = files.state()?;
        let version = state.get("format_version").and_then(Value::as_u64);
        if version != Some(FORMAT_VERSION) {
            let found = version.map_or_else(|| "none".to_owned(), |version| version.to_string());
            bail!(
                "`{}` is of another version of the trainer: its format_version is {found}, and this svc reads \
                 {FORMAT_VERSION}",
                files.state_path().display()
            );
        }
        let (weights, optimizer) = (files.weights()?, files.optimizer()?);
        let mut vectors = Values::new();
        for tensor in migrate::vectors(checked.model()) {
            vectors.insert(tensor, value(checked, &weights, tensor)?);
        }
        Ok(Self { checked, vectors, weights, optimizer, state })
    }

    /// What a step reads: the vectors, and its source.
    fn values_for(&self, source: Option<Instance>) -> anyhow::Result<Values> {
        let mut values = self.vectors.clone();
        if let Some(source) = source {
            values.insert(source, value(self.checked, &self.weights, source)?);
        }
        Ok(values)
    }
}

fn value(checked: &CheckedModel, weights: &files::Tensors<'_>, tensor: Instance) -> anyhow::Result<Tensor> {
    let model = checked.model();
    weights.value(&model.instance_name(tensor), migrate::sizes(model, tensor))
}

/// Makes the new checkpoint. `spec_text` is the new spec's, by which the trainer knows it.
pub fn carry(old: &Old<'_>, new: &CheckedModel, plan: &Plan, spec_text: &str) -> anyhow::Result<Carried> {
    let weights = plan
        .steps
        .iter()
        .map(|step| {
            let value = weight(old, new, step)?;
            unit::require(old, new, step, &value)?;
            Ok((new.model().instance_name(step.tensor), value))
        })
        .collect::<anyhow::Result<_>>()?;
    let memory::Remembered { tensors: optimizer, lost } = memory::carry(old, new, plan)?;
    let mut state = old.state.clone();
    state.insert("model".to_owned(), json!(new.model().name));
    state.insert("spec_hash".to_owned(), json!(crate::hash::hash(spec_text.as_bytes())));
    // A run of as many steps as its spec says has as many as the new spec says; one told otherwise stays so.
    if state.get("steps").and_then(Value::as_u64) == Some(old.checked.model().train.steps) {
        state.insert("steps".to_owned(), json!(new.model().train.steps));
    }
    Ok(Carried { weights, optimizer, state, lost })
}

fn weight(old: &Old<'_>, new: &CheckedModel, step: &Step) -> anyhow::Result<Buffer> {
    if let How::Copy(own) = step.how {
        let copied = old.weights.copy(&old.checked.model().instance_name(own))?;
        return Ok(copied.shaped(migrate::sizes(new.model(), step.tensor)));
    }
    let values = old.values_for(step.how.source())?;
    let value = migrate::value(old.checked.model(), new.model(), step, &values);
    let name = || format!("`{}` cannot take its value", new.model().instance_name(step.tensor));
    let value = value.with_context(name)?;
    if value.data.iter().any(|entry| !(*entry as f32).is_finite()) {
        bail!("{}: it is too large for 32 bits", name());
    }
    Ok(Buffer::of(&value))
}

impl Carried {
    /// Writes the checkpoint into a new run's folder, and the first row of its metrics, which says where it comes from.
    pub fn write(&self, run: &Path, origin: &Origin<'_>) -> anyhow::Result<()> {
        let from = std::path::absolute(origin.run).context("the path of the run")?;
        let note = json!({
            "step": self.step(),
            "migrated_from": { "run": from, "target": origin.target },
        });
        files::write(run, self.step(), &self.weights, &self.optimizer, &self.state, &format!("{note}\n"))
    }

    fn step(&self) -> u64 {
        self.state.get("step").and_then(Value::as_u64).unwrap_or_default()
    }

    /// Where it lies, and how to go on.
    pub fn summary(&self, run: &Path) -> String {
        let shown = run.display();
        let mut text = String::new();
        if !self.lost.is_empty() {
            text.push_str(&format!(
                "\nrestarts after all, since γ has entries that are 0: {}\n",
                self.lost.join(", ")
            ));
        }
        let steps = self.state.get("steps").and_then(Value::as_u64).unwrap_or_default();
        text.push_str(&format!("\nwrote {shown}, after step {} of {steps}; go on with\n", self.step()));
        if self.step() >= steps {
            text.push_str(
                "  (its training is done: a larger `steps` in the spec's `train` block would let it go on)\n",
            );
        }
        text.push_str(&format!("  svc train --resume {shown}\n"));
        text
    }
}
