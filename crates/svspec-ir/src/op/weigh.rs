//! The copies of a token that its experts are given, by the experts' weights (Llama 4).

use super::{Cost, Kept, Operation, Origin, Passage, Reading, ResultKind, Work};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// `y_c = w_c x_c`. Inputs: x `[chosen, width]`, the weights `[chosen]`, and the chosen experts `[chosen]`, by which generated
/// code sorts; output as x.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Weigh;

impl Operation for Weigh {
    fn name(&self) -> &'static str {
        "weigh"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::LookThrough("the weights of experts".to_owned())
    }

    fn is_step(&self) -> bool {
        false
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x, weights, chosen] = super::arity(inputs)?;
        match (x, weights, chosen) {
            ([copies, ..], [weights], [chosen])
                if copies.size == weights.size && copies.size == chosen.size =>
            {
                Ok(x.to_vec())
            }
            _ => Err(format!("it weighs [chosen, width], not {}, by {}", dim::show(x), dim::show(weights))),
        }
    }

    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = dim::num_elements(output) as f64;
        Cost { flops: values, traffic: 2.0 * values, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        true
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::F32
    }

    /// The products with the gradient before they are summed to that of the weights.
    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        kept.backward = work.out_bytes;
    }

    fn is_linear_in(&self, index: usize) -> bool {
        index < 2
    }

    fn pass_scale(&self, _: &Model, index: usize, channels: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        if index == 0 {
            Passage::Through(channels.to_vec())
        } else {
            Passage::Blocked("through the weights of experts".to_owned())
        }
    }

    fn pull_scale(&self, _: &Model, channels: &[Option<usize>], _: &[&[Dim]], _: &[Dim]) -> Origin {
        Origin::Inputs(vec![Some(channels.to_vec()), None, None])
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x, weights, _] = super::operands(inputs);
        times(x, weights)
    }

    fn vjp(
        &self,
        _: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [x, weights, _] = super::operands(inputs);
        let width = num_channels(x, weights);
        let copies = x.data.chunks_exact(width).zip(gradient.data.chunks_exact(width));
        let of_weights = copies.map(|(x, g)| x.iter().zip(g).map(|(x, g)| x * g).sum()).collect();
        let of_weights = Tensor::new(weights.shape.clone(), of_weights);
        vec![Some(times(gradient, weights)), Some(of_weights), None]
    }
}

fn times(x: &Tensor, weights: &Tensor) -> Tensor {
    let copies = x.data.chunks_exact(num_channels(x, weights)).zip(&weights.data);
    let data = copies.flat_map(|(copy, weight)| copy.iter().map(move |x| weight * x)).collect();
    Tensor::new(x.shape.clone(), data)
}

/// The channels of one copy.
fn num_channels(x: &Tensor, weights: &Tensor) -> usize {
    (x.data.len() / weights.data.len().max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::{self, Trial};

    #[test]
    fn derivative() {
        let inputs = [
            trial::random_activation(&[2, 3], 1),
            trial::random_activation(&[2], 2),
            trial::random_choice(4, 2),
        ];
        Trial::new().check_at(&Weigh, &inputs);
    }
}
