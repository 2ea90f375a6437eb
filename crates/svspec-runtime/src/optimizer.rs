//! Gradients in, changed parameters out: AdamW (arXiv 1711.05101) over a spec's groups, with clipping, all of its state visible.

use crate::ffi::{self, TorchError};
use crate::params::Params;
use crate::spec::{GroupRow, Spec};
use tch::{Kind, Tensor};

/// The optimizer of one model: its parameters by group, and what AdamW remembers of each.
#[derive(Debug)]
pub struct Optimizer {
    groups: Vec<Group>,
    betas: (f64, f64),
    eps: f64,
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
    first_moments: Vec<Tensor>,
    second_moments: Vec<Tensor>,
    /// The steps taken, an f32 scalar per tensor, as LibTorch's kernel wants them.
    steps: Vec<Tensor>,
}

impl Optimizer {
    /// The optimizer before its first step.
    pub fn new(spec: &'static Spec, params: &Params) -> Self {
        let groups =
            spec.groups.iter().enumerate().map(|(index, row)| Group::new(row, index, params)).collect();
        let training = &spec.training;
        Self { groups, betas: training.betas, eps: training.eps, clip: training.clip }
    }

    /// One step. `gradients` are in the order of [`Params`] and may be scaled in place; `lr` is the scheduled rate.
    /// The result is the global norm of the clipped groups' gradients before clipping, a scalar that is not waited for.
    pub fn step(&mut self, gradients: &[Tensor], lr: f64) -> Result<Tensor, TorchError> {
        let norm = self.clip(gradients)?;
        for group in &self.groups {
            if group.members.is_empty() {
                continue;
            }
            let adamw = ffi::AdamW {
                lr: lr * group.row.lr_multiplier,
                betas: self.betas,
                weight_decay: group.row.weight_decay,
                eps: self.eps,
            };
            ffi::fused_adamw(
                &group.params,
                &group.gradients(gradients),
                &group.first_moments,
                &group.second_moments,
                &group.steps,
                adamw,
            )?;
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

    /// All it remembers, by name: `NAME.first_moment`, `NAME.second_moment`, `NAME.step`. The tensors are its own.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let mut state = Vec::new();
        for group in &self.groups {
            let kinds = [
                ("first_moment", &group.first_moments),
                ("second_moment", &group.second_moments),
                ("step", &group.steps),
            ];
            for (kind, tensors) in kinds {
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
        let zeros = || own().map(|(_, param)| param.tensor.detach().zeros_like()).collect();
        Self {
            row,
            members: own().map(|(member, _)| member).collect(),
            names: own().map(|(_, param)| param.name.clone()).collect(),
            params: own().map(|(_, param)| param.tensor.shallow_clone()).collect(),
            first_moments: zeros(),
            second_moments: zeros(),
            steps: own()
                .map(|(_, param)| Tensor::zeros([0_i64; 0], (Kind::Float, param.tensor.device())))
                .collect(),
        }
    }

    fn gradients(&self, all: &[Tensor]) -> Vec<Tensor> {
        self.members.iter().filter_map(|&member| all.get(member)).map(Tensor::shallow_clone).collect()
    }
}
