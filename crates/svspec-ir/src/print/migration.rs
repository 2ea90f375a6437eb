//! How each tensor of a new model is made of an old model's, and what becomes of the optimizer's memory, as a table.

use super::table::{self, Align};
use super::{FORMAT_VERSION, paths};
use crate::fold::Side;
use crate::migrate::{Factor, How, Memory, Plan, Step};
use crate::{Instance, Model, ScaleForm, ScaleId};
use serde::Serialize;
use std::collections::BTreeMap;

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MigrationView {
    /// The layout's version.
    pub format_version: u32,
    /// The old model's name.
    pub old: String,
    /// The new model's name.
    pub new: String,
    /// How many tensors stay as they are, name and memory included.
    pub num_unchanged: usize,
    /// The others, alike ones together.
    pub tensors: Vec<MigratedView>,
    /// What the words on the optimizer mean, of those that are there.
    pub notes: Vec<&'static str>,
}

/// Tensors that are made alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MigratedView {
    /// The region's name.
    pub region: String,
    /// Their paths.
    pub paths: Vec<String>,
    /// Their layers, from 0; empty outside the stack.
    pub layers: Vec<usize>,
    /// What they are made of.
    pub value: String,
    /// What becomes of the optimizer's memory of them.
    pub optimizer: String,
}

/// The plan as data.
pub fn view(old: &Model, new: &Model, plan: &Plan) -> MigrationView {
    let mut tensors: Vec<MigratedView> = Vec::new();
    let mut num_unchanged = 0;
    for step in &plan.steps {
        if is_same(old, new, step) {
            num_unchanged += 1;
            continue;
        }
        let Some(param) = new.params.get(step.tensor.param.0) else { continue };
        let row = MigratedView {
            region: new.regions.get(param.region.0).map_or_else(String::new, |region| region.name.clone()),
            paths: vec![param.path.clone()],
            layers: step.tensor.layer.into_iter().collect(),
            value: value(old, new, step),
            optimizer: memory(&step.memory),
        };
        match tensors.iter_mut().find(|known| known.is_like(&row)) {
            Some(known) => known.add(row),
            None => tensors.push(row),
        }
    }
    MigrationView {
        format_version: FORMAT_VERSION,
        old: old.name.clone(),
        new: new.name.clone(),
        num_unchanged,
        tensors,
        notes: notes(plan),
    }
}

impl MigratedView {
    fn is_like(&self, other: &Self) -> bool {
        (&self.region, &self.value, &self.optimizer) == (&other.region, &other.value, &other.optimizer)
    }

    fn add(&mut self, other: Self) {
        self.paths
            .extend(other.paths.into_iter().filter(|path| !self.paths.contains(path)).collect::<Vec<_>>());
        self.layers.extend(other.layers);
        self.layers.sort_unstable();
        self.layers.dedup();
    }
}

impl MigrationView {
    /// The same for reading.
    pub fn text(&self) -> String {
        let mut lines = vec![table::row(["tensor", "layers", "value", "optimizer"])];
        for row in &self.tensors {
            let names: Vec<&str> = row.paths.iter().map(String::as_str).collect();
            lines.push(vec![
                paths::joined(&names).join(", "),
                paths::ranges(&row.layers),
                row.value.clone(),
                row.optimizer.clone(),
            ]);
        }
        let others = match (self.num_unchanged, self.tensors.is_empty()) {
            (0, _) => None,
            (num, true) => Some(format!("all {num}")),
            (num, false) => Some(format!("{num} more")),
        };
        lines.extend(others.map(|others| table::row([others.as_str(), "", "unchanged", "goes on"])));
        let mut text = format!("{} → {}\n\n", self.old, self.new);
        text.push_str(&table::table("  ", &[Align::Left; 4], &lines));
        text.extend(self.notes.iter().map(|note| format!("\n{note}\n")));
        text
    }
}

/// Whether a tensor stays as it is, under its name, and its memory too.
fn is_same(old: &Model, new: &Model, step: &Step) -> bool {
    match (&step.how, &step.memory) {
        (How::Copy(own), Memory::Kept(_) | Memory::NotTrained) => {
            old.instance_name(*own) == new.instance_name(step.tensor)
        }
        (_, _) => false,
    }
}

fn value(old: &Model, new: &Model, step: &Step) -> String {
    let own = path(new, step.tensor);
    match &step.how {
        How::Copy(source) if path(old, *source) == own => "as it is".to_owned(),
        How::Copy(source) => path(old, *source).to_owned(),
        How::Multiplied(source, factors) => {
            let source = path(old, *source);
            let source = if source == own { "" } else { source };
            let mut by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for factor in factors {
                by.entry(side(factor)).or_default().push(vector(old, factor.scale));
            }
            let by: Vec<String> =
                by.into_iter().map(|(side, vectors)| format!("{side} × {}", vectors.join(" × "))).collect();
            format!("{source} {}", by.join(", ")).trim_start().to_owned()
        }
        How::Gamma { scale, form, index, .. } => {
            let what = of_gamma(*form, *index);
            let heir = new.scales.iter().find(|heir| heir.params.contains(&step.tensor.param));
            match vector(old, *scale) {
                source if heir.is_some_and(|heir| heir.path == source) => format!("its {what}"),
                source => format!("{what} of {source}"),
            }
        }
        How::Identity { .. } => "γ = 1".to_owned(),
    }
}

fn side(factor: &Factor) -> &'static str {
    match factor.side {
        Side::Columns => "columns",
        Side::Rows => "rows",
    }
}

/// What a form's parameter is of the γ that it is to give.
fn of_gamma(form: ScaleForm, index: usize) -> &'static str {
    match (form, index) {
        (ScaleForm::Direct, _) | (ScaleForm::MagnitudeDirection, 1) => "γ",
        (ScaleForm::OnePlus, _) => "γ − 1",
        (ScaleForm::MagnitudeDirection, _) => "RMS(γ)",
        (ScaleForm::ExpMagnitudeDirection, 1) => "log γ",
        (ScaleForm::ExpMagnitudeDirection, _) => "mean(log γ)",
        (ScaleForm::Softplus, _) => "log(exp(γ) − 1)",
    }
}

fn memory(memory: &Memory) -> String {
    match memory {
        Memory::Kept(_) => "goes on".to_owned(),
        Memory::Rescaled(..) => "goes on, rescaled".to_owned(),
        Memory::Restarts(why) => format!("restarts: {why}"),
        Memory::New => "new".to_owned(),
        Memory::NotTrained => "none".to_owned(),
    }
}

/// What the words on the optimizer mean, of those that are there.
fn notes(plan: &Plan) -> Vec<&'static str> {
    let has = |is: fn(&Memory) -> bool| plan.steps.iter().any(|step| is(&step.memory));
    let rescaled = has(|memory| matches!(memory, Memory::Rescaled(..))).then_some(
        "rescaled: the gradient of W ⊙ γ is that of W divided by γ, and so is its mean; the mean of its square is divided \
         by γ²",
    );
    let fresh = has(|memory| matches!(memory, Memory::Restarts(_) | Memory::New)).then_some(
        "restarts, new: the optimizer knows nothing of this tensor and counts its steps from 0, as at the start of a run",
    );
    rescaled.into_iter().chain(fresh).collect()
}

fn path(model: &Model, tensor: Instance) -> &str {
    model.params.get(tensor.param.0).map_or("", |param| param.path.as_str())
}

fn vector(model: &Model, scale: ScaleId) -> &str {
    model.scales.get(scale.0).map_or("", |scale| scale.path.as_str())
}
