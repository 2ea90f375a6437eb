//! Copies of each token for the experts that were chosen for it.

use super::{Cost, Kept, Operation, Passage, Reading, Work};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// Inputs: x `[width]` and chosen experts `[chosen]`; output `[chosen, width]`, x once for each. Generated code keeps the
/// copies sorted by expert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Dispatch;

impl Operation for Dispatch {
    fn name(&self) -> &'static str {
        "dispatch"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::LookThrough("the dispatch to experts".to_owned())
    }

    fn is_step(&self) -> bool {
        true
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x, chosen] = super::arity(inputs)?;
        match (x, chosen) {
            ([width], [chosen]) => Ok(vec![chosen.clone(), width.clone()]),
            _ => Err(format!("it gives [width] to [chosen], not {} to {}", dim::show(x), dim::show(chosen))),
        }
    }

    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        Cost { traffic: 2.0 * dim::num_elements(output) as f64, ..Cost::default() }
    }

    /// The choice.
    fn keeps_input(&self, index: usize) -> bool {
        index == 1
    }

    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        // The copies before they are sorted by expert.
        kept.forward = work.out_bytes;
        kept.backward = work.out_bytes;
    }

    fn is_linear_in(&self, index: usize) -> bool {
        index == 0
    }

    /// Every copy has the channels.
    fn pass_scale(&self, _: &Model, index: usize, channels: &[Option<usize>], inputs: &[&[Dim]]) -> Passage {
        if index != 0 {
            return Passage::Blocked("through the choice of experts".to_owned());
        }
        let num_copies = inputs.get(1).map_or(1, |chosen| dim::num_elements(chosen));
        Passage::Through(channels.repeat(num_copies))
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x, chosen] = super::operands(inputs);
        let num_copies = chosen.num_channels();
        let data = x.tokens().flat_map(|token| token.repeat(num_copies)).collect();
        Tensor::new(x.shape_with(&[num_copies, x.num_channels()]), data)
    }

    fn vjp(
        &self,
        _: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [x, _] = super::operands(inputs);
        let mut of_x = Tensor::zeros(&x.shape);
        for (of_x, copies) in of_x.tokens_mut().zip(gradient.tokens()) {
            for copy in copies.chunks_exact(of_x.len().max(1)) {
                of_x.iter_mut().zip(copy).for_each(|(sum, term)| *sum += term);
            }
        }
        vec![Some(of_x), None]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::{self, Trial};

    #[test]
    fn derivative() {
        Trial::new().check_at(&Dispatch, &[trial::random_activation(&[3], 1), trial::random_choice(4, 2)]);
    }
}
