//! The sum of what the chosen experts made of a token.

use super::choose::channel_dims;
use super::{Cost, Kept, Operation, Passage, Reading, ResultKind, Work};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// `y = Σ_c w_c x_c`, or `Σ_c x_c`. Inputs: x `[chosen, width]`, the weights `[chosen]` if there are any, and the chosen experts
/// `[chosen]`, by which generated code sorts; output `[width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Combine {
    /// Whether there are weights.
    pub weighted: bool,
}

impl Operation for Combine {
    fn name(&self) -> &'static str {
        "combine"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("the sum over experts")
    }

    fn is_step(&self) -> bool {
        false
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x, weights, chosen] = if self.weighted {
            super::arity(inputs)?
        } else {
            super::arity(inputs).map(|[x, chosen]| [x, chosen, chosen])?
        };
        match (x, weights, chosen) {
            ([copies, width], [weights], [chosen])
                if copies.size == weights.size && copies.size == chosen.size =>
            {
                Ok(vec![width.clone()])
            }
            _ => Err(format!("it sums [chosen, width], not {}, by {}", dim::show(x), dim::show(weights))),
        }
    }

    fn cost(&self, _: &Model, inputs: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = inputs.first().map_or(0, |x| dim::num_elements(x)) as f64;
        let traffic = values + dim::num_elements(output) as f64;
        let flops = if self.weighted { 2.0 * values } else { values };
        Cost { flops, traffic, ..Cost::default() }
    }

    /// The choice, and with weights all.
    fn keeps_input(&self, index: usize) -> bool {
        self.weighted || index == 1
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::F32
    }

    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        // The rows of each token's experts and their products with the weights.
        kept.forward = work.in_bytes;
        kept.backward = 2 * work.in_bytes;
    }

    fn is_linear_in(&self, index: usize) -> bool {
        index == 0 || self.weighted && index == 1
    }

    /// A vector on the channels of every copy is one on the channels of the sum.
    fn pass_scale(&self, _: &Model, index: usize, channels: &[Option<usize>], inputs: &[&[Dim]]) -> Passage {
        let num_channels = inputs.first().map_or(0, |x| dim::num_elements(channel_dims(x)));
        if index == 0 && super::is_periodic(channels, num_channels) {
            Passage::Through(channels.iter().copied().take(num_channels).collect())
        } else {
            Passage::Blocked("through the sum over experts".to_owned())
        }
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let (x, weights) = self.given(inputs);
        let width = num_channels(&x);
        let mut y = Tensor::zeros(&x.shape_with(&[width]));
        for (sum, (copies, weights)) in y.tokens_mut().zip(x.tokens().zip(weights.tokens())) {
            for (copy, weight) in copies.chunks_exact(width).zip(weights) {
                sum.iter_mut().zip(copy).for_each(|(sum, x)| *sum += weight * x);
            }
        }
        y
    }

    fn vjp(
        &self,
        _: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let (x, weights) = self.given(inputs);
        let width = num_channels(&x);
        let mut of_x = Vec::new();
        let mut of_weights = Vec::new();
        for ((copies, weights), g) in x.tokens().zip(weights.tokens()).zip(gradient.tokens()) {
            for (copy, weight) in copies.chunks_exact(width).zip(weights) {
                of_x.extend(g.iter().map(|g| weight * g));
                of_weights.push(copy.iter().zip(g).map(|(x, g)| x * g).sum());
            }
        }
        let of_x = Some(Tensor::new(x.shape.clone(), of_x));
        let of_weights = Tensor::new(weights.shape.clone(), of_weights);
        if self.weighted { vec![of_x, Some(of_weights), None] } else { vec![of_x, None] }
    }
}

impl Combine {
    /// The copies and their weights, all 1 if there are none.
    fn given(self, inputs: &[&Tensor]) -> (Tensor, Tensor) {
        if self.weighted {
            let [x, weights, _] = super::operands(inputs);
            (x.clone(), weights.clone())
        } else {
            let [x, chosen] = super::operands(inputs);
            (x.clone(), chosen.map(|_| 1.0))
        }
    }
}

/// The channels of one copy.
fn num_channels(x: &Tensor) -> usize {
    x.shape.last().copied().unwrap_or(1).max(1)
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
        Trial::new().check_at(&Combine { weighted: true }, &inputs);
        let [x, _, chosen] = inputs;
        Trial::new().check_at(&Combine { weighted: false }, &[x, chosen]);
    }
}
