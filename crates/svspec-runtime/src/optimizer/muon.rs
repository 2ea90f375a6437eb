//! Muon (Jordan et al. 2024): momentum, then each matrix made nearly orthogonal, in bf16, and scaled by its shape.

use super::{Memory, Rates, matrices, newton_schulz, widened, zeros};
use crate::ffi::{self, TorchError};
use crate::params::Param;
use crate::spec::{self, Matrices};
use tch::{Kind, Tensor};

/// Matrices of one shape are orthogonalised together, up to so many entries at once: small ones would leave a GPU idle,
/// and copies of all would take as much memory as the gradients.
const MOST_ENTRIES: i64 = 1 << 24;

#[derive(Debug)]
pub(super) struct Muon {
    constants: spec::Muon,
    momenta: Vec<Tensor>,
    batches: Vec<Batch>,
}

/// Tensors whose matrices have one shape.
#[derive(Debug)]
struct Batch {
    out: i64,
    num_in: i64,
    members: Vec<Member>,
}

/// One tensor of a batch: its place in the group, how many matrices it holds, and how.
#[derive(Debug)]
struct Member {
    index: usize,
    num: i64,
    matrices: Matrices,
}

impl Muon {
    pub(super) fn new(constants: spec::Muon, params: &[&Param]) -> Self {
        let mut batches: Vec<Batch> = Vec::new();
        for (index, param) in params.iter().enumerate() {
            let (num, out, num_in) = matrices::shape(param.matrices, &param.tensor.size());
            let member = Member { index, num, matrices: param.matrices };
            let has_room = |batch: &&mut Batch| {
                let entries = (batch.num_matrices() + num) * out * num_in;
                (batch.out, batch.num_in) == (out, num_in) && entries <= MOST_ENTRIES
            };
            match batches.iter_mut().find(has_room) {
                Some(batch) => batch.members.push(member),
                None => batches.push(Batch { out, num_in, members: vec![member] }),
            }
        }
        Self { constants, momenta: zeros(params), batches }
    }

    pub(super) fn step(
        &self,
        params: &[Tensor],
        gradients: &[Tensor],
        rates: Rates,
        skip: &Tensor,
    ) -> Result<(), TorchError> {
        let momentum = self.constants.momentum;
        ffi::approach(&self.momenta, gradients, 1.0 - momentum, skip)?;
        let directions = if self.constants.nesterov {
            ffi::approach(gradients, &self.momenta, momentum, skip)?;
            gradients
        } else {
            &self.momenta
        };
        ffi::multiply(params, 1.0 - rates.lr * rates.decay, skip)?;
        for batch in &self.batches {
            let updates = batch.updates(directions, self.constants.ns_steps)?;
            let own: Vec<Tensor> = batch
                .members
                .iter()
                .filter_map(|member| params.get(member.index))
                .map(Tensor::shallow_clone)
                .collect();
            ffi::add(&own, &updates, -rates.lr * self.constants.scale.factor(batch.out, batch.num_in), skip)?;
        }
        Ok(())
    }

    /// A batch's members together.
    pub(super) fn parts(&self) -> Vec<Vec<usize>> {
        let of_batch = |batch: &Batch| batch.members.iter().map(|member| member.index).collect();
        self.batches.iter().map(of_batch).collect()
    }

    pub(super) fn widened(&self, part: &[usize]) -> Self {
        let is_it = |batch: &&Batch| batch.members.iter().map(|member| member.index).eq(part.iter().copied());
        let batch = |batch: &Batch| Batch {
            members: batch
                .members
                .iter()
                .enumerate()
                .map(|(index, member)| Member { index, ..*member })
                .collect(),
            ..*batch
        };
        Self {
            constants: self.constants,
            momenta: widened(&self.momenta, part),
            batches: self.batches.iter().filter(is_it).map(batch).collect(),
        }
    }

    pub(super) fn memory(&self) -> Memory<'_> {
        vec![("momentum", &self.momenta)]
    }
}

impl Batch {
    fn num_matrices(&self) -> i64 {
        self.members.iter().map(|member| member.num).sum()
    }

    /// What is made of each member's direction, in the member's shape.
    fn updates(&self, directions: &[Tensor], ns_steps: u32) -> Result<Vec<Tensor>, TorchError> {
        let own = || self.members.iter().filter_map(|member| Some((member, directions.get(member.index)?)));
        let stacked = own()
            .map(|(member, direction)| matrices::of_tensor(direction, member.matrices))
            .collect::<Result<Vec<Tensor>, TorchError>>()?;
        let orthogonal = newton_schulz(&Tensor::cat(&stacked, 0), ns_steps, Kind::BFloat16)?;
        let sizes: Vec<i64> = self.members.iter().map(|member| member.num).collect();
        let parts = orthogonal.split_with_sizes(sizes, 0);
        own()
            .zip(&parts)
            .map(|((member, direction), part)| {
                let update = matrices::to_tensor(part, member.matrices, &direction.size())?;
                Ok(update.to_kind(direction.kind()))
            })
            .collect()
    }
}
