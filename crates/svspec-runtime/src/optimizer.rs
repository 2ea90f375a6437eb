//! Gradients in, changed parameters out: each of a spec's groups by its algorithm, with clipping, all of its state visible.

mod adamw;
mod matrices;
mod muon;
mod newton_schulz;
mod sgd;

pub use newton_schulz::newton_schulz;

use crate::ffi::{self, TorchError};
use crate::params::{Param, Params};
use crate::schedule::Factors;
use crate::spec::{Algorithm, GroupRow, Spec};
use adamw::AdamW;
use muon::Muon;
use sgd::Sgd;
use tch::Tensor;

/// The optimizer of one model: its parameters by group, and what is remembered of each.
#[derive(Debug)]
pub struct Optimizer {
    groups: Vec<Group>,
    clip: Option<f64>,
}

/// One group's tensors; the lists run in parallel.
#[derive(Debug)]
struct Group {
    row: &'static GroupRow,
    /// Indices into [`Params`].
    members: Vec<usize>,
    names: Vec<String>,
    params: Vec<Tensor>,
    rule: Rule,
}

/// A group's algorithm, with what it remembers.
#[derive(Debug)]
enum Rule {
    AdamW(AdamW),
    Muon(Muon),
    Sgd(Sgd),
    /// No gradient moves it.
    None,
}

/// A group's learning rate and weight decay in one step.
#[derive(Clone, Copy, Debug)]
struct Rates {
    lr: f64,
    /// To be multiplied by the rate: a step takes away `lr · decay · w`.
    decay: f64,
}

/// What an algorithm remembers of each tensor: the name of the memory, and the memories in the tensors' order.
type Memory<'a> = Vec<(&'static str, &'a [Tensor])>;

impl Optimizer {
    /// The optimizer before its first step.
    pub fn new(spec: &'static Spec, params: &Params) -> Self {
        let groups = spec.groups.iter().enumerate().map(|(index, row)| Group::new(row, index, params));
        Self { groups: groups.collect(), clip: spec.training.clip }
    }

    /// One step. `gradients` are in the order of [`Params`] and may be changed in place; `factors` are the schedules'.
    /// The result is the global norm of the clipped groups' gradients before clipping, a scalar that is not waited for.
    pub fn step(&mut self, gradients: &[Tensor], factors: Factors) -> Result<Tensor, TorchError> {
        let norm = self.clip(gradients)?;
        for group in self.groups.iter().filter(|group| !group.members.is_empty()) {
            let rates =
                Rates { lr: group.row.lr * factors.lr, decay: group.row.weight_decay * factors.decay };
            let gradients = group.gradients(gradients);
            match &group.rule {
                Rule::AdamW(adamw) => adamw.step(&group.params, &gradients, rates),
                Rule::Muon(muon) => muon.step(&group.params, &gradients, rates),
                Rule::Sgd(sgd) => sgd.step(&group.params, &gradients, rates),
                Rule::None => Ok(()),
            }?;
        }
        Ok(norm)
    }

    /// Scales the clipped groups' gradients to the norm allowed; the norm before.
    fn clip(&self, gradients: &[Tensor]) -> Result<Tensor, TorchError> {
        let clipped: Vec<Tensor> = self
            .groups
            .iter()
            .filter(|group| group.row.clipped)
            .flat_map(|group| group.gradients(gradients))
            .collect();
        if clipped.is_empty() {
            return Ok(Tensor::from(0.0_f32));
        }
        let norm = ffi::global_norm(&clipped)?;
        if let Some(max_norm) = self.clip {
            ffi::scale_to_norm(&clipped, &norm, max_norm)?;
        }
        Ok(norm)
    }

    /// All it remembers, by name: `NAME.first_moment`, `NAME.second_moment`, `NAME.step` of AdamW, `NAME.momentum` of the
    /// others. The tensors are its own.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let mut state = Vec::new();
        for group in &self.groups {
            let memory = match &group.rule {
                Rule::AdamW(adamw) => adamw.memory(),
                Rule::Muon(muon) => muon.memory(),
                Rule::Sgd(sgd) => sgd.memory(),
                Rule::None => Vec::new(),
            };
            for (kind, tensors) in memory {
                let named = group.names.iter().zip(tensors);
                state.extend(named.map(|(name, tensor)| (format!("{name}.{kind}"), tensor.shallow_clone())));
            }
        }
        state
    }
}

impl Group {
    fn new(row: &'static GroupRow, index: usize, params: &Params) -> Self {
        let own = || params.iter().enumerate().filter(move |(_, param)| param.group == index);
        let members: Vec<&Param> = own().map(|(_, param)| param).collect();
        let rule = match row.algorithm {
            Algorithm::AdamW { betas, eps } => Rule::AdamW(AdamW::new(betas, eps, &members)),
            Algorithm::Muon(muon) => Rule::Muon(Muon::new(muon, &members)),
            Algorithm::Sgd { momentum, nesterov } => Rule::Sgd(Sgd::new(momentum, nesterov, &members)),
            Algorithm::Load => Rule::None,
        };
        Self {
            row,
            members: own().map(|(member, _)| member).collect(),
            names: members.iter().map(|param| param.name.clone()).collect(),
            params: members.iter().map(|param| param.tensor.shallow_clone()).collect(),
            rule,
        }
    }

    fn gradients(&self, all: &[Tensor]) -> Vec<Tensor> {
        self.members.iter().filter_map(|&member| all.get(member)).map(Tensor::shallow_clone).collect()
    }
}

/// A tensor of zeros beside each parameter.
fn zeros(params: &[&Param]) -> Vec<Tensor> {
    params.iter().map(|param| param.tensor.detach().zeros_like()).collect()
}
