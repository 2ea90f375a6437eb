//! Multiplication by a number that depends on the token's position: queries that grow with the length of what they see
//! (arXiv 2501.19399), attention's temperature in Llama 4.

use super::{Attribute, Cost, Kept, Operation, Origin, Passage, Reading, Work};
use crate::eval::{Documents, Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, OfPosition, PerLayer, dim};
use serde::Serialize;

/// `y_t = factor(t) · x_t`, t counted from 0 in each sequence, or document; input and output have the same dimensions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PositionGain {
    /// The number.
    pub factor: OfPosition,
}

impl Operation for PositionGain {
    fn name(&self) -> &'static str {
        "position_gain"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::LookThrough("a factor by position".to_owned())
    }

    fn is_step(&self) -> bool {
        true
    }

    fn mixes_tokens(&self) -> bool {
        true
    }

    fn stays_within_documents(&self) -> bool {
        true
    }

    fn attributes(&self, _: &[Dim]) -> Vec<Attribute> {
        vec![("factor", self.factor.to_string())]
    }

    fn per_layer_mut(&mut self) -> Vec<&mut PerLayer> {
        self.factor.numbers_mut()
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

    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        kept.forward = work.widened;
        kept.backward = work.widened;
    }

    fn is_linear_in(&self, _: usize) -> bool {
        true
    }

    fn pass_scale(&self, _: &Model, _: usize, channels: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        Passage::Through(channels.to_vec())
    }

    fn pull_scale(&self, _: &Model, channels: &[Option<usize>], _: &[&[Dim]], _: &[Dim]) -> Origin {
        Origin::Inputs(vec![Some(channels.to_vec())])
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x] = super::operands(inputs);
        self.times(x, env)
    }

    fn vjp(
        &self,
        env: &Environment<'_>,
        _: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        vec![Some(self.times(gradient, env))]
    }
}

impl PositionGain {
    fn times(&self, x: &Tensor, env: &Environment<'_>) -> Tensor {
        let documents = Documents::of(env, x);
        let mut y = x.clone();
        for (index, token) in y.data.chunks_exact_mut(x.num_channels().max(1)).enumerate() {
            let factor = self.factor.at(documents.position(index), env.layer);
            for entry in token {
                *entry *= factor;
            }
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;
    use svspec_syntax::ast::Operator;

    /// `1 - c * position`
    fn falling(by: PerLayer) -> PositionGain {
        let product = [OfPosition::Number(by), OfPosition::Position];
        let product = OfPosition::Operate(Operator::Multiply, Box::new(product));
        let sides = [OfPosition::Number(1.0.into()), product];
        PositionGain { factor: OfPosition::Operate(Operator::Subtract, Box::new(sides)) }
    }

    #[test]
    fn derivative_with_a_number_for_all_layers_and_with_one_for_each() {
        Trial::new().check(&falling(0.3.into()), &[&[3]]);
        Trial::new().check(&falling(PerLayer::Each(vec![0.3, 2.0])), &[&[2, 2]]);
    }

    #[test]
    fn positions_begin_anew_with_each_sequence() {
        let x = Tensor::new(vec![2, 3, 1], vec![1.0; 6]);
        let y = Trial::new().eval(&falling(0.25.into()), std::slice::from_ref(&x));
        assert_eq!(y.data, [1.0, 0.75, 0.5, 1.0, 0.75, 0.5]);
    }

    #[test]
    fn it_reads_as_it_is_written() {
        let op = falling(0.25.into());
        assert_eq!(op.factor.to_string(), "1 - 0.25 * position");
        let halved = [op.factor, OfPosition::Number(2.0.into())];
        let halved = OfPosition::Operate(Operator::Divide, Box::new(halved));
        assert_eq!(OfPosition::Call("log", vec![halved]).to_string(), "log((1 - 0.25 * position) / 2)");
    }
}
