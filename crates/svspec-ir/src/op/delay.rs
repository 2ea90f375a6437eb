//! What a value was some tokens before.
#![expect(clippy::indexing_slicing, reason = "a token and one before it in its document are of the tensor")]

use super::{Attribute, Cost, Operation, Origin, Passage, Reading};
use crate::eval::{Documents, Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;
use std::ops::Range;

/// `y_t = x_{t − steps}`, and 0 for the first `steps` tokens of a sequence, or of a document; input and output have the same dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Delay {
    /// How many tokens before.
    pub steps: usize,
}

impl Operation for Delay {
    fn name(&self) -> &'static str {
        "delay"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::LookThrough("a delay".to_owned())
    }

    fn is_step(&self) -> bool {
        true
    }

    fn attributes(&self, _: &[Dim]) -> Vec<Attribute> {
        vec![("by", self.steps.to_string())]
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x] = super::arity(inputs)?;
        Ok(x.to_vec())
    }

    /// A copy.
    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        Cost { traffic: 2.0 * dim::num_elements(output) as f64, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    fn mixes_tokens(&self) -> bool {
        true
    }

    fn stays_within_documents(&self) -> bool {
        true
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
        let mut y = Tensor::zeros(&x.shape);
        self.for_each_read(env, x, |to, from| y.data[to].copy_from_slice(&x.data[from]));
        y
    }

    fn vjp(
        &self,
        env: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [x] = super::operands(inputs);
        let mut of_x = Tensor::zeros(&x.shape);
        self.for_each_read(env, x, |to, from| of_x.data[from].copy_from_slice(&gradient.data[to]));
        vec![Some(of_x)]
    }
}

impl Delay {
    /// The entries of each token that takes another's, and those that it takes.
    fn for_each_read(
        self,
        env: &Environment<'_>,
        x: &Tensor,
        mut read: impl FnMut(Range<usize>, Range<usize>),
    ) {
        let (documents, num_channels) = (Documents::of(env, x), x.num_channels());
        let entries = |token: usize| token * num_channels..(token + 1) * num_channels;
        for token in (0..documents.num_tokens()).filter(|&token| documents.position(token) >= self.steps) {
            read(entries(token), entries(token - self.steps));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    #[test]
    fn derivative_of_flat_values_and_of_heads() {
        Trial::new().check(&Delay { steps: 1 }, &[&[3]]);
        Trial::new().check(&Delay { steps: 3 }, &[&[2, 2]]);
        Trial::new().check(&Delay { steps: 9 }, &[&[2]]);
    }

    #[test]
    fn no_sequence_sees_another_and_the_first_tokens_see_zeros() {
        let x = Tensor::new(vec![2, 3, 1], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let by = |steps| Trial::new().eval(&Delay { steps }, std::slice::from_ref(&x)).data;
        assert_eq!(by(1), [0.0, 1.0, 2.0, 0.0, 4.0, 5.0]);
        assert_eq!(by(5), [0.0; 6]);
    }
}
