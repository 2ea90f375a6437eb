//! Multiplication by a constant of the spec: embedding and residual multipliers, DeepNorm's α.

use super::{Attribute, Cost, Operation, Origin, Passage, Reading};
use crate::eval::{Environment, Gradients, Tensor};
use crate::print::number::rounded;
use crate::{Dim, Dims, Model, PerLayer, dim};
use serde::Serialize;

/// `y = factor · x`; input and output have the same dimensions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gain {
    /// The constant.
    pub factor: PerLayer,
}

impl Operation for Gain {
    fn name(&self) -> &'static str {
        "gain"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::LookThrough("a constant factor".to_owned())
    }

    fn is_step(&self) -> bool {
        true
    }

    fn attributes(&self, _: &[Dim]) -> Vec<Attribute> {
        vec![("factor", rounded(self.factor.at(None)))]
    }

    fn per_layer_mut(&mut self) -> Vec<&mut PerLayer> {
        vec![&mut self.factor]
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x] = super::arity(inputs)?;
        Ok(x.to_vec())
    }

    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = dim::num_elements(output) as f64;
        Cost { flops: values, traffic: 2.0 * values, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    fn is_linear_in(&self, _: usize) -> bool {
        true
    }

    /// Of what is taken 0 times, no channel has γ.
    fn pass_scale(&self, _: &Model, _: usize, channels: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        let is_nothing = self.factor.uniform() == Some(0.0);
        Passage::Through(if is_nothing { vec![None; channels.len()] } else { channels.to_vec() })
    }

    fn pull_scale(&self, _: &Model, channels: &[Option<usize>], _: &[&[Dim]], _: &[Dim]) -> Origin {
        Origin::Inputs(vec![Some(channels.to_vec())])
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x] = super::operands(inputs);
        let factor = self.factor.at(env.layer);
        x.map(|x| factor * x)
    }

    fn vjp(
        &self,
        env: &Environment<'_>,
        _: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let factor = self.factor.at(env.layer);
        vec![Some(gradient.map(|g| factor * g))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::{self, Trial};

    #[test]
    fn derivative_of_a_uniform_factor_and_of_one_per_layer() {
        Trial::new().check(&Gain { factor: PerLayer::Uniform(-1.5) }, &[&[3]]);
        Trial::new().check(&Gain { factor: PerLayer::Each(vec![0.5, 2.0]) }, &[&[3]]);
    }

    #[test]
    fn a_scale_passes_but_where_nothing_is_left() {
        let passed = |factor| {
            let gain = Gain { factor: PerLayer::Uniform(factor) };
            gain.pass_scale(&Trial::new().model(), 0, &trial::entries(&[0, 1]), &[])
        };
        assert_eq!(passed(-1.0), Passage::Through(vec![Some(0), Some(1)]));
        assert_eq!(passed(0.0), Passage::Through(vec![None, None]));
    }
}
