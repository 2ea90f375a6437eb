//! A smooth bound.

use super::{Attribute, Cost, Kept, Operation, Passage, Reading, Work};
use crate::eval::{Environment, Gradients, Tensor};
use crate::print::number::shortest;
use crate::{Dim, Dims, Model, PerLayer, dim};
use serde::Serialize;

/// `y = cap · tanh(x / cap)`; input and output have the same dimensions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SoftCap {
    /// The bound, positive.
    pub cap: PerLayer,
}

impl Operation for SoftCap {
    fn name(&self) -> &'static str {
        "soft_cap"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("a soft-cap")
    }

    fn is_step(&self) -> bool {
        true
    }

    fn attributes(&self, _: &[Dim]) -> Vec<Attribute> {
        vec![("cap", shortest(self.cap.at(None)))]
    }

    fn per_layer_mut(&mut self) -> Vec<&mut PerLayer> {
        vec![&mut self.cap]
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x] = super::arity(inputs)?;
        Ok(x.to_vec())
    }

    /// A quotient, a tanh, a product; the tanh is what autograd keeps.
    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = dim::num_elements(output) as f64;
        Cost { flops: 3.0 * values, saved: values, traffic: 2.0 * values, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        // Quotient and product about the tanh.
        kept.forward = work.in_bytes;
        kept.backward = 2 * work.in_bytes;
    }

    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, _: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        Passage::Blocked("through `soft_cap`, which is not linear".to_owned())
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x] = super::operands(inputs);
        let cap = self.cap.at(env.layer);
        x.map(|x| cap * (x / cap).tanh())
    }

    fn vjp(
        &self,
        env: &Environment<'_>,
        _: &[&Tensor],
        output: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let cap = self.cap.at(env.layer);
        vec![Some(gradient.zip(output, |g, y| g * (1.0 - (y / cap).powi(2))))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    #[test]
    fn derivative() {
        Trial::new().check(&SoftCap { cap: 1.5.into() }, &[&[3]]);
        Trial::new().check(&SoftCap { cap: PerLayer::Each(vec![0.5, 2.0]) }, &[&[3]]);
    }

    #[test]
    fn no_value_passes_the_cap() {
        let x = Tensor::new(vec![1, 1, 2], vec![1e3, -1e3]);
        assert_eq!(Trial::new().eval(&SoftCap { cap: 30.0.into() }, &[x]).data, [30.0, -30.0]);
    }
}
