//! Element-wise product; a value of one channel, or of one head, multiplies all of the other side's.

use super::{Cost, Operation, Passage, Reading, ResultKind, broadcast};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// `y = a ⊙ b`. Each dimension is the same on both sides, or 1 on one of them, which then multiplies all of the other:
/// a gate of one channel, one head for all. A side of fewer dimensions has one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mul;

impl Operation for Mul {
    fn name(&self) -> &'static str {
        "mul"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("an element-wise product")
    }

    fn is_step(&self) -> bool {
        false
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [a, b] = super::arity(inputs)?;
        broadcast::broadcast_dims(a, b)
            .ok_or_else(|| format!("its sides have dimensions {} and {}", dim::show(a), dim::show(b)))
    }

    fn cost(&self, _: &Model, inputs: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = dim::num_elements(output) as f64;
        let read: f64 = inputs.iter().map(|input| dim::num_elements(input) as f64).sum();
        Cost { flops: values, traffic: read + values, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        true
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::WidestInput
    }

    fn is_linear_in(&self, _: usize) -> bool {
        true
    }

    fn pass_scale(&self, _: &Model, index: usize, channels: &[Option<usize>], inputs: &[&[Dim]]) -> Passage {
        let output = match inputs {
            [a, b] => broadcast::broadcast_dims(a, b),
            _ => None,
        };
        let (Some(input), Some(output)) = (inputs.get(index), output) else {
            return Passage::Blocked("a product of other than two values".to_owned());
        };
        let met = dim::broadcast_channels(&dim::sizes(input), &dim::sizes(&output));
        Passage::Through(met.into_iter().filter_map(|entry| channels.get(entry).copied()).collect())
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [a, b] = super::operands(inputs);
        let channels = broadcast::broadcast_sizes(a.channel_shape(), b.channel_shape());
        broadcast::widen(a, &channels).zip(&broadcast::widen(b, &channels), |a, b| a * b)
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
        let channels = gradient.channel_shape();
        let of = |input: &Tensor, other: &Tensor| {
            let product = gradient.zip(&broadcast::widen(other, channels), |g, y| g * y);
            broadcast::narrow(&product, input.channel_shape())
        };
        vec![Some(of(a, b)), Some(of(b, a))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::{Trial, entries};

    #[test]
    fn derivative() {
        Trial::new().check(&Mul, &[&[3], &[3]]);
    }

    #[test]
    fn derivative_of_a_gate_of_one_channel_on_either_side() {
        Trial::new().check(&Mul, &[&[1], &[3]]);
        Trial::new().check(&Mul, &[&[2, 3], &[2, 1]]);
        Trial::new().check(&Mul, &[&[1], &[2, 3]]);
    }

    #[test]
    fn derivative_of_one_head_for_all() {
        Trial::new().check(&Mul, &[&[1, 3], &[2, 3]]);
        Trial::new().check(&Mul, &[&[2, 1], &[1, 3]]);
    }

    #[test]
    fn a_gate_multiplies_every_channel_of_its_token() {
        let gate = Tensor::new(vec![1, 2, 1], vec![2.0, -1.0]);
        let x = Tensor::new(vec![1, 2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let y = Trial::new().eval(&Mul, &[gate, x]);
        assert_eq!((y.shape, y.data), (vec![1, 2, 3], vec![2.0, 4.0, 6.0, -4.0, -5.0, -6.0]));
    }

    #[test]
    fn a_scale_on_the_gate_meets_every_channel() {
        let dims = |size| vec![Dim::new("channels", size)];
        let (gate, x) = (dims(1), dims(3));
        let passed = Mul.pass_scale(&Trial::new().model(), 0, &[Some(0)], &[&gate, &x]);
        assert_eq!(passed, Passage::Through(vec![Some(0); 3]));
        let passed = Mul.pass_scale(&Trial::new().model(), 1, &entries(&[0, 1, 2]), &[&gate, &x]);
        assert_eq!(passed, Passage::Through(entries(&[0, 1, 2])));
    }
}
