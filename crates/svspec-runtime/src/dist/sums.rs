//! Backward passes of a step in, the sums of their gradients out: of this process, or of all.

use super::Owners;
use super::plan::{self, Buckets};
use super::share::Share;
use crate::ffi::{Group, Reducer, TorchError};
use crate::params::Params;
use tch::Tensor;

/// The gradients of a step so far, in the parameters' order.
#[derive(Debug)]
pub struct Sums(Kind);

#[derive(Debug)]
enum Kind {
    /// One process's own.
    Here(Vec<Tensor>),
    /// All processes', in buckets. Those of the last micro-batch are on their way while backward computes the next.
    Over { reducer: Reducer, sums: Vec<Tensor>, is_divided: bool },
}

impl Sums {
    /// Of one process.
    pub(super) fn here() -> Self {
        Self(Kind::Here(Vec::new()))
    }

    /// Of all processes of `group`; each gradient's sum is needed by its owner.
    pub(super) fn over(group: &Group, params: &Params, owners: &Owners) -> Result<Self, TorchError> {
        let leaves: Vec<Tensor> = params.iter().map(|param| param.tensor.shallow_clone()).collect();
        let Buckets { of, roots } = plan::buckets(params, owners);
        let (reducer, sums) = Reducer::new(group, &leaves, &of, &roots)?;
        let is_divided = roots.iter().any(Option::is_some);
        Ok(Self(Kind::Over { reducer, sums, is_divided }))
    }

    /// Whether each process gets the sums of some gradients alone.
    pub(super) fn is_divided(&self) -> bool {
        match self.0 {
            Kind::Here(_) => false,
            Kind::Over { is_divided, .. } => is_divided,
        }
    }

    /// Adds the gradients of `loss`, that of micro-batch `micro` of `share`.
    pub fn add(
        &mut self,
        params: &Params,
        loss: &Tensor,
        micro: u64,
        share: Share,
    ) -> Result<(), TorchError> {
        match &mut self.0 {
            Kind::Here(sums) if micro == 0 => {
                *sums = params.gradients(loss);
                if share.num_micro > 1 {
                    // Sums of bf16 gradients are f32.
                    *sums = sums.iter().map(|gradient| gradient.to_kind(tch::Kind::Float)).collect();
                }
            }
            Kind::Here(sums) => {
                for (sum, gradient) in sums.iter_mut().zip(&params.gradients(loss)) {
                    let _ = sum.g_add_(gradient);
                }
            }
            Kind::Over { reducer, .. } => {
                reducer.begin(micro == 0, micro + 1 == share.num_micro)?;
                loss.f_backward().map_err(|error| TorchError(error.to_string()))?;
                reducer.end()?;
            }
        }
        Ok(())
    }

    /// Gives every process the parameters that others have stepped.
    pub(super) fn spread(&self) -> Result<(), TorchError> {
        match &self.0 {
            Kind::Here(_) => Ok(()),
            Kind::Over { reducer, .. } => reducer.spread(),
        }
    }

    /// The sums of the step, waited for.
    pub(super) fn whole(&mut self) -> Result<Vec<Tensor>, TorchError> {
        match &mut self.0 {
            Kind::Here(sums) => Ok(std::mem::take(sums)),
            Kind::Over { reducer, sums, .. } => {
                reducer.wait()?;
                Ok(sums.iter().map(Tensor::shallow_clone).collect())
            }
        }
    }
}
