//! Gradient descent with momentum `m ← μ m + g`, and the decoupled decay of the other algorithms.

use super::{Memory, Rates, one_by_one, widened, zeros};
use crate::ffi::{self, TorchError};
use crate::params::Param;
use tch::Tensor;

#[derive(Debug)]
pub(super) struct Sgd {
    momentum: f64,
    nesterov: bool,
    /// Empty without momentum.
    momenta: Vec<Tensor>,
    count: usize,
}

impl Sgd {
    pub(super) fn new(momentum: f64, nesterov: bool, params: &[&Param]) -> Self {
        let momenta = if momentum > 0.0 { zeros(params) } else { Vec::new() };
        Self { momentum, nesterov, momenta, count: params.len() }
    }

    pub(super) fn step(
        &self,
        params: &[Tensor],
        gradients: &[Tensor],
        rates: Rates,
        skip: &Tensor,
    ) -> Result<(), TorchError> {
        ffi::multiply(params, 1.0 - rates.lr * rates.decay, skip)?;
        if self.momenta.is_empty() {
            return ffi::add(params, gradients, -rates.lr, skip);
        }
        ffi::multiply(&self.momenta, self.momentum, skip)?;
        ffi::add(&self.momenta, gradients, 1.0, skip)?;
        if self.nesterov {
            ffi::add(gradients, &self.momenta, self.momentum, skip)?;
            return ffi::add(params, gradients, -rates.lr, skip);
        }
        ffi::add(params, &self.momenta, -rates.lr, skip)
    }

    pub(super) fn parts(&self) -> Vec<Vec<usize>> {
        one_by_one(self.count)
    }

    pub(super) fn widened(&self, part: &[usize]) -> Self {
        Self { momenta: widened(&self.momenta, part), count: part.len(), ..*self }
    }

    pub(super) fn memory(&self) -> Memory<'_> {
        if self.momenta.is_empty() { Vec::new() } else { vec![("momentum", &self.momenta)] }
    }
}
