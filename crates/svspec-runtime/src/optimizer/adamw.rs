//! AdamW (arXiv 1711.05101) by LibTorch's fused kernel.

use super::{Memory, Rates, one_by_one, widened, zeros};
use crate::ffi::{self, TorchError};
use crate::params::Param;
use tch::{Kind, Tensor};

#[derive(Debug)]
pub(super) struct AdamW {
    betas: (f64, f64),
    eps: f64,
    first_moments: Vec<Tensor>,
    second_moments: Vec<Tensor>,
    /// The steps taken, an f32 scalar per tensor, as LibTorch's kernel wants them.
    steps: Vec<Tensor>,
}

impl AdamW {
    pub(super) fn new(betas: (f64, f64), eps: f64, params: &[&Param]) -> Self {
        let step = |param: &&Param| Tensor::zeros([0_i64; 0], (Kind::Float, param.tensor.device()));
        Self {
            betas,
            eps,
            first_moments: zeros(params),
            second_moments: zeros(params),
            steps: params.iter().map(step).collect(),
        }
    }

    pub(super) fn step(
        &self,
        params: &[Tensor],
        gradients: &[Tensor],
        rates: Rates,
        skip: &Tensor,
    ) -> Result<(), TorchError> {
        let adamw = ffi::AdamW { lr: rates.lr, betas: self.betas, weight_decay: rates.decay, eps: self.eps };
        ffi::fused_adamw(
            params,
            gradients,
            &self.first_moments,
            &self.second_moments,
            &self.steps,
            adamw,
            skip,
        )
    }

    pub(super) fn parts(&self) -> Vec<Vec<usize>> {
        one_by_one(self.steps.len())
    }

    /// For the tensors at `part`; it counts the same steps.
    pub(super) fn widened(&self, part: &[usize]) -> Self {
        Self {
            betas: self.betas,
            eps: self.eps,
            first_moments: widened(&self.first_moments, part),
            second_moments: widened(&self.second_moments, part),
            steps: widened(&self.steps, part),
        }
    }

    pub(super) fn memory(&self) -> Memory<'_> {
        vec![
            ("first_moment", &self.first_moments),
            ("second_moment", &self.second_moments),
            ("step", &self.steps),
        ]
    }
}
