//! A hard bound on every value.

use super::{Attribute, Cost, Operation, Passage, Reading};
use crate::eval::{Environment, Gradients, Tensor};
use crate::print::number::shortest;
use crate::{Dim, Dims, Model, PerLayer, dim};
use serde::Serialize;

/// `y = min(max(x, low), high)`; input and output have the same dimensions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Clamp {
    /// The least value.
    pub low: PerLayer,
    /// The greatest value, above `low`.
    pub high: PerLayer,
}

impl Operation for Clamp {
    fn name(&self) -> &'static str {
        "clamp"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("a clamp")
    }

    fn is_step(&self) -> bool {
        true
    }

    fn attributes(&self, _: &[Dim]) -> Vec<Attribute> {
        vec![("low", shortest(self.low.at(None))), ("high", shortest(self.high.at(None)))]
    }

    fn per_layer_mut(&mut self) -> Vec<&mut PerLayer> {
        vec![&mut self.low, &mut self.high]
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x] = super::arity(inputs)?;
        Ok(x.to_vec())
    }

    /// Two comparisons.
    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = dim::num_elements(output) as f64;
        Cost { flops: 2.0 * values, traffic: 2.0 * values, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        true
    }

    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, _: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        Passage::Blocked("through `clamp`, which is not linear".to_owned())
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x] = super::operands(inputs);
        let (low, high) = (self.low.at(env.layer), self.high.at(env.layer));
        x.map(|x| x.max(low).min(high))
    }

    /// A value at a bound counts as within.
    fn vjp(
        &self,
        env: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [x] = super::operands(inputs);
        let range = self.low.at(env.layer)..=self.high.at(env.layer);
        vec![Some(gradient.zip(x, |g, x| if range.contains(&x) { g } else { 0.0 }))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    #[test]
    fn derivative() {
        Trial::new().check(&Clamp { low: PerLayer::Uniform(-0.62), high: PerLayer::Uniform(0.41) }, &[&[5]]);
    }

    #[test]
    fn no_value_passes_a_bound() {
        let x = Tensor::new(vec![1, 1, 3], vec![1e3, -1e3, 0.25]);
        assert_eq!(
            Trial::new()
                .eval(&Clamp { low: PerLayer::Uniform(-7.0), high: PerLayer::Uniform(8.0) }, &[x])
                .data,
            [8.0, -7.0, 0.25]
        );
    }
}
