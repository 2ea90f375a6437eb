//! Element-wise product.

use super::{Cost, Operation, Passage};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// `y = a ⊙ b`; both inputs and the output have the same dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mul;

impl Operation for Mul {
    fn name(&self) -> &'static str {
        "mul"
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        super::same_dims(inputs)
    }

    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = dim::num_elements(output) as f64;
        Cost { flops: values, traffic: 3.0 * values, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        true
    }

    fn is_linear_in(&self, _: usize) -> bool {
        true
    }

    fn pass_scale(&self, _: &Model, _: usize, channels: &[usize], _: &[&[Dim]]) -> Passage {
        Passage::Through(channels.to_vec())
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [a, b] = super::operands(inputs);
        a.zip(b, |a, b| a * b)
    }

    fn vjp(
        &self,
        _: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [a, b] = super::operands(inputs);
        vec![Some(gradient.zip(b, |g, b| g * b)), Some(gradient.zip(a, |g, a| g * a))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    #[test]
    fn derivative() {
        Trial::new().check(&Mul, &[&[3], &[3]]);
    }
}
