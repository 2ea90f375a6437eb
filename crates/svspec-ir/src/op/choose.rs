//! The choice of experts: for each token those with the largest scores.

use super::{Cost, Operation, Passage, Reading};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// The name of the dimension that counts a token's chosen experts.
pub const CHOSEN: &str = "chosen";

/// The experts, as whole numbers from 0, with the `num_chosen` largest entries of the input, the largest first; of
/// equal ones the first. Input `[experts]`, output `[chosen]`. The choice is constant in the derivative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Choose {
    /// How many each token is given to.
    pub num_chosen: usize,
}

impl Operation for Choose {
    fn name(&self) -> &'static str {
        "choose"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("the choice of experts")
    }

    fn is_step(&self) -> bool {
        false
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [scores] = super::arity(inputs)?;
        match scores {
            [experts] if (1..=experts.size).contains(&self.num_chosen) => {
                Ok(vec![Dim::new(CHOSEN, self.num_chosen)])
            }
            _ => Err(format!("it cannot choose {} of {}", self.num_chosen, dim::show(scores))),
        }
    }

    /// One comparison per expert and choice.
    fn cost(&self, _: &Model, inputs: &[&[Dim]], output: &[Dim]) -> Cost {
        let experts = inputs.first().map_or(0, |scores| dim::num_elements(scores)) as f64;
        let chosen = dim::num_elements(output) as f64;
        Cost { flops: experts * chosen, traffic: experts + chosen, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, _: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        Passage::Blocked("through the choice of experts".to_owned())
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [scores] = super::operands(inputs);
        let chosen = scores.tokens().flat_map(|scores| {
            let mut experts: Vec<(usize, f64)> = scores.iter().copied().enumerate().collect();
            // The sort is stable.
            experts.sort_by(|(_, a), (_, b)| b.total_cmp(a));
            experts.into_iter().take(self.num_chosen).map(|(expert, _)| expert as f64)
        });
        let data = chosen.collect();
        Tensor::new(scores.shape_with(&[self.num_chosen]), data)
    }

    fn vjp(
        &self,
        _: &Environment<'_>,
        _: &[&Tensor],
        _: &Tensor,
        _: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        vec![None]
    }
}

/// The dimensions of a token's channels: without those of its chosen experts, for each of which it has a copy.
pub fn channel_dims(dims: &[Dim]) -> &[Dim] {
    match dims {
        [chosen, channels @ ..] if chosen.name == CHOSEN && !channels.is_empty() => channels,
        _ => dims,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    #[test]
    fn the_largest_come_first_and_of_equal_ones_the_first() {
        let scores = Tensor::new(vec![1, 2, 4], vec![0.1, 3.0, -1.0, 0.2, 5.0, 7.0, 5.0, 5.0]);
        let chosen = Trial::new().eval(&Choose { num_chosen: 2 }, &[scores]);
        assert_eq!(chosen, Tensor::new(vec![1, 2, 2], vec![1.0, 3.0, 1.0, 0.0]));
    }

    #[test]
    fn no_more_than_there_are_can_be_chosen() {
        let fault = Choose { num_chosen: 5 }.infer(&Trial::new().model(), &[&[Dim::new("experts", 4)]]);
        assert_eq!(fault.unwrap_err(), "it cannot choose 5 of [experts 4]");
    }
}
