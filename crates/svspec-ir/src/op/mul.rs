//! Element-wise product; a value of one channel multiplies all channels of the other side.

use super::{Cost, Operation, Passage};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// `y = a ⊙ b`. Both inputs have the same dimensions, but that the last of one may be 1: it multiplies the whole last
/// dimension of the other, as a gate of one channel does. The output has the dimensions of the larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mul;

impl Operation for Mul {
    fn name(&self) -> &'static str {
        "mul"
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [a, b] = super::arity(inputs)?;
        product_dims(a, b)
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

    fn is_linear_in(&self, _: usize) -> bool {
        true
    }

    fn pass_scale(&self, _: &Model, index: usize, channels: &[usize], inputs: &[&[Dim]]) -> Passage {
        let output = match inputs {
            [a, b] => product_dims(a, b),
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
        let channels = larger(a, b).channel_shape();
        widen(a, channels).zip(&widen(b, channels), |a, b| a * b)
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
            narrow(&gradient.zip(&widen(other, channels), |g, y| g * y), input.channel_shape())
        };
        vec![Some(of(a, b)), Some(of(b, a))]
    }
}

/// The dimensions of the product, or `None` if the two do not go together.
pub fn product_dims(a: &[Dim], b: &[Dim]) -> Option<Dims> {
    let (of_a, of_b) = (dim::sizes(a), dim::sizes(b));
    if of_a == of_b || stretches(&of_b, &of_a) {
        Some(a.to_vec())
    } else {
        stretches(&of_a, &of_b).then(|| b.to_vec())
    }
}

/// Whether `narrow` is `wide` but for a last dimension of 1.
fn stretches(narrow: &[usize], wide: &[usize]) -> bool {
    match (narrow.split_last(), wide.split_last()) {
        (Some((1, narrow)), Some((_, wide))) => narrow == wide,
        (Some(_) | None, Some(_) | None) => false,
    }
}

fn larger<'t>(a: &'t Tensor, b: &'t Tensor) -> &'t Tensor {
    if a.num_channels() < b.num_channels() { b } else { a }
}

/// The value with `channels` for its own, its last dimension repeated where it is 1.
fn widen(x: &Tensor, channels: &[usize]) -> Tensor {
    let met = dim::broadcast_channels(x.channel_shape(), channels);
    let data = x.tokens().flat_map(|token| met.iter().filter_map(|entry| token.get(*entry))).copied();
    Tensor::new(x.shape_with(channels), data.collect())
}

/// The transpose of [`widen`]: what was repeated is summed.
fn narrow(x: &Tensor, channels: &[usize]) -> Tensor {
    let met = dim::broadcast_channels(channels, x.channel_shape());
    let mut sums = Tensor::zeros(&x.shape_with(channels));
    for (sums, token) in sums.tokens_mut().zip(x.tokens()) {
        for (entry, term) in met.iter().zip(token) {
            if let Some(sum) = sums.get_mut(*entry) {
                *sum += term;
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    #[test]
    fn derivative() {
        Trial::new().check(&Mul, &[&[3], &[3]]);
    }

    #[test]
    fn derivative_of_a_gate_of_one_channel_on_either_side() {
        Trial::new().check(&Mul, &[&[1], &[3]]);
        Trial::new().check(&Mul, &[&[2, 3], &[2, 1]]);
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
        let passed = Mul.pass_scale(&Trial::new().model(), 0, &[0], &[&gate, &x]);
        assert_eq!(passed, Passage::Through(vec![0, 0, 0]));
        let passed = Mul.pass_scale(&Trial::new().model(), 1, &[0, 1, 2], &[&gate, &x]);
        assert_eq!(passed, Passage::Through(vec![0, 1, 2]));
    }

    #[test]
    fn sides_that_differ_otherwise_are_refused() {
        let dims = |size| vec![Dim::new("channels", size)];
        assert_eq!(product_dims(&dims(2), &dims(3)), None);
        assert_eq!(product_dims(&[], &dims(3)), None);
    }
}
