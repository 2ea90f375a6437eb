//! Gradients in, changed parameters out: each of a spec's groups by its algorithm, with clipping, all of its state visible.

mod adamw;
mod matrices;
mod muon;
mod newton_schulz;
mod sgd;
mod stochastic;

pub use newton_schulz::newton_schulz;

use crate::ffi::{self, TorchError};
use crate::health;
use crate::params::{Param, Params};
use crate::schedule::Factors;
use crate::spec::{Algorithm, GroupRow, Spec};
use crate::unit;
use adamw::AdamW;
use muon::Muon;
use sgd::Sgd;
use stochastic::Moment;
use tch::{Device, Kind, Tensor};

/// The optimizer of one model: its parameters by group, and what is remembered of each; or of those parameters that one of
/// several processes steps.
#[derive(Debug)]
pub struct Optimizer {
    groups: Vec<Group>,
    clip: Option<f64>,
    /// The parameters of the model that gradients move, by group.
    trained: Vec<Trained>,
    /// What the rounding of bf16 tensors is a function of.
    moment: Moment,
}

/// A parameter that gradients move.
#[derive(Clone, Copy, Debug)]
struct Trained {
    /// Its index into [`Params`].
    index: usize,
    /// Whether this optimizer steps it.
    is_mine: bool,
    /// Whether its gradient is clipped.
    is_clipped: bool,
}

/// One group's tensors; the lists run in parallel.
#[derive(Debug)]
struct Group {
    row: &'static GroupRow,
    /// Indices into [`Params`].
    members: Vec<usize>,
    names: Vec<String>,
    params: Vec<Tensor>,
    /// The axes over which each is brought back to norm 1.
    units: Vec<Option<&'static [i64]>>,
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
        Self::part(spec, params, &|_| true)
    }

    /// The same for the parameters that `is_mine` says, by index.
    pub fn part(spec: &'static Spec, params: &Params, is_mine: &dyn Fn(usize) -> bool) -> Self {
        let groups: Vec<Group> = spec
            .groups
            .iter()
            .enumerate()
            .map(|(index, row)| Group::new(row, index, params, is_mine))
            .collect();
        let of_group =
            |group: usize| params.iter().enumerate().filter(move |(_, param)| param.group == group);
        let rows = spec.groups.iter().enumerate().filter(|(_, row)| row.algorithm != Algorithm::Load);
        let trained = rows.flat_map(|(group, row)| {
            let is_clipped = row.clipped;
            of_group(group).map(move |(index, _)| Trained { index, is_mine: is_mine(index), is_clipped })
        });
        Self { groups, clip: spec.training.clip, trained: trained.collect(), moment: Moment::default() }
    }

    /// Says that the next step is the one after `step` of the run with this seed, on which the rounding of bf16 tensors depends.
    pub fn count_from(&mut self, seed: u64, step: u64) {
        self.moment = Moment { seed, step };
    }

    /// The parameters of the model that gradients move, as indices into [`Params`], in the order of [`Self::norms`].
    pub fn trained(&self) -> impl Iterator<Item = usize> {
        self.trained.iter().map(|trained| trained.index)
    }

    /// One step. `gradients` are in the order of [`Params`] and may be changed in place; `factors` are the schedules'.
    /// The result is the global norm of the clipped groups' gradients before clipping, a scalar that is not waited for.
    pub fn step(&mut self, gradients: &[Tensor], factors: Factors) -> Result<Tensor, TorchError> {
        let norms = self.norms(gradients)?;
        self.step_by(gradients, factors, &norms, &health::no_skip(norms.device()))
    }

    /// The norm of the gradient of each trained parameter of the model; 0 for those that others step.
    pub fn norms(&self, gradients: &[Tensor]) -> Result<Tensor, TorchError> {
        let mine = || self.trained.iter().enumerate().filter(|(_, trained)| trained.is_mine);
        let own = mine().filter_map(|(_, trained)| gradients.get(trained.index));
        let own: Vec<Tensor> = own.map(Tensor::shallow_clone).collect();
        let device = gradients.first().map_or(Device::Cpu, Tensor::device);
        if own.is_empty() {
            return Ok(Tensor::zeros([self.trained.len() as i64], (Kind::Float, device)));
        }
        let norms = ffi::norms(&own)?;
        if own.len() == self.trained.len() {
            return Ok(norms);
        }
        let places: Vec<i64> = mine().map(|(place, _)| place as i64).collect();
        let all = Tensor::zeros([self.trained.len() as i64], (norms.kind(), device));
        Ok(all.index_copy(0, &Tensor::from_slice(&places).to_device(device), &norms))
    }

    /// One step, of which the `norms` of all gradients are known. Where the f32 scalar `skip` is 1, nothing changes.
    pub fn step_by(
        &mut self,
        gradients: &[Tensor],
        factors: Factors,
        norms: &Tensor,
        skip: &Tensor,
    ) -> Result<Tensor, TorchError> {
        let norm = ffi::norm(&self.clipped(norms))?;
        let own = self.trained.iter().filter(|trained| trained.is_mine && trained.is_clipped);
        let own: Vec<Tensor> =
            own.filter_map(|trained| gradients.get(trained.index)).map(Tensor::shallow_clone).collect();
        if let Some(max_norm) = self.clip.filter(|_| !own.is_empty()) {
            ffi::scale_to_norm(&own, &norm, max_norm)?;
        }
        for group in self.groups.iter().filter(|group| !group.members.is_empty()) {
            let rates =
                Rates { lr: group.row.lr * factors.lr, decay: group.row.weight_decay * factors.decay };
            let gradients = group.gradients(gradients);
            if group.is_narrow() {
                stochastic::step(group, &gradients, rates, self.moment, skip)?;
            } else {
                group.rule.step(&group.params, &gradients, rates, skip)?;
                unit::normalize_all(&group.params, &group.units, skip)?;
            }
        }
        self.moment.step += 1;
        Ok(norm)
    }

    /// Those among the norms of all gradients that are clipped.
    fn clipped(&self, norms: &Tensor) -> Tensor {
        if self.trained.iter().all(|trained| trained.is_clipped) {
            return norms.shallow_clone();
        }
        let clipped = self.trained.iter().enumerate().filter(|(_, trained)| trained.is_clipped);
        let places: Vec<i64> = clipped.map(|(place, _)| place as i64).collect();
        norms.index_select(0, &Tensor::from_slice(&places).to_device(norms.device()))
    }

    /// All it remembers, by name: `NAME.first_moment`, `NAME.second_moment`, `NAME.step` of AdamW, `NAME.momentum` of the
    /// others. The tensors are its own.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        self.memories().into_iter().map(|(_, name, tensor)| (name, tensor)).collect()
    }

    /// The same, each with the index of its parameter.
    pub fn memories(&self) -> Vec<(usize, String, Tensor)> {
        let mut state = Vec::new();
        for group in &self.groups {
            for (kind, tensors) in group.rule.memory() {
                let named = group.members.iter().zip(&group.names).zip(tensors);
                state.extend(named.map(|((&member, name), tensor)| {
                    (member, format!("{name}.{kind}"), tensor.shallow_clone())
                }));
            }
        }
        state
    }
}

impl Rule {
    fn step(
        &self,
        params: &[Tensor],
        gradients: &[Tensor],
        rates: Rates,
        skip: &Tensor,
    ) -> Result<(), TorchError> {
        match self {
            Self::AdamW(adamw) => adamw.step(params, gradients, rates, skip),
            Self::Muon(muon) => muon.step(params, gradients, rates, skip),
            Self::Sgd(sgd) => sgd.step(params, gradients, rates, skip),
            Self::None => Ok(()),
        }
    }

    fn memory(&self) -> Memory<'_> {
        match self {
            Self::AdamW(adamw) => adamw.memory(),
            Self::Muon(muon) => muon.memory(),
            Self::Sgd(sgd) => sgd.memory(),
            Self::None => Vec::new(),
        }
    }

    /// The tensors, by index, that a step may take by themselves: few at a time take little memory.
    fn parts(&self) -> Vec<Vec<usize>> {
        match self {
            Self::AdamW(adamw) => adamw.parts(),
            Self::Muon(muon) => muon.parts(),
            Self::Sgd(sgd) => sgd.parts(),
            Self::None => Vec::new(),
        }
    }

    /// The algorithm for one of [`Self::parts`], with f32 copies of what it remembers.
    fn widened(&self, part: &[usize]) -> Self {
        match self {
            Self::AdamW(adamw) => Self::AdamW(adamw.widened(part)),
            Self::Muon(muon) => Self::Muon(muon.widened(part)),
            Self::Sgd(sgd) => Self::Sgd(sgd.widened(part)),
            Self::None => Self::None,
        }
    }
}

impl Group {
    /// Whether its tensors are bf16.
    fn is_narrow(&self) -> bool {
        self.params.first().is_some_and(|param| param.kind() == Kind::BFloat16)
    }

    fn new(row: &'static GroupRow, index: usize, params: &Params, is_mine: &dyn Fn(usize) -> bool) -> Self {
        let own = || params.iter().enumerate().filter(|(at, param)| param.group == index && is_mine(*at));
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
            units: members.iter().map(|param| param.unit).collect(),
            rule,
        }
    }

    fn gradients(&self, all: &[Tensor]) -> Vec<Tensor> {
        self.members.iter().filter_map(|&member| all.get(member)).map(Tensor::shallow_clone).collect()
    }
}

/// The tensors at `part`, in f32.
fn widened(tensors: &[Tensor], part: &[usize]) -> Vec<Tensor> {
    part.iter().filter_map(|&index| tensors.get(index)).map(stochastic::wide).collect()
}

/// Each tensor by itself.
fn one_by_one(count: usize) -> Vec<Vec<usize>> {
    (0..count).map(|index| vec![index]).collect()
}

/// A tensor of zeros beside each parameter.
fn zeros(params: &[&Param]) -> Vec<Tensor> {
    params.iter().map(|param| param.tensor.detach().zeros_like()).collect()
}
