//! Element-wise sum.

use super::{Cost, Operation, Passage, Reading, ResultKind, broadcast};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// `y = a + b`; both inputs and the output have the same dimensions, but that one head may be added to every head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Add;

impl Operation for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("a sum")
    }

    fn is_step(&self) -> bool {
        false
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [a, b] = super::arity(inputs)?;
        sum_dims(a, b)
            .ok_or_else(|| format!("its sides have dimensions {} and {}", dim::show(a), dim::show(b)))
    }

    fn cost(&self, _: &Model, inputs: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = dim::num_elements(output) as f64;
        let read: f64 = inputs.iter().map(|input| dim::num_elements(input) as f64).sum();
        Cost { flops: values, traffic: read + values, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::WidestInput
    }

    /// Affine in either: the other is added.
    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, _: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        Passage::Blocked("through `add`, whose other side it would not multiply".to_owned())
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [a, b] = super::operands(inputs);
        let channels = broadcast::broadcast_sizes(a.channel_shape(), b.channel_shape());
        broadcast::widen(a, &channels).zip(&broadcast::widen(b, &channels), |a, b| a + b)
    }

    fn vjp(
        &self,
        _: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        inputs.iter().map(|input| Some(broadcast::narrow(gradient, input.channel_shape()))).collect()
    }
}

/// The dimensions of the sum, or `None` if the two do not go together.
pub fn sum_dims(a: &[Dim], b: &[Dim]) -> Option<Dims> {
    let has_same_channels =
        a.len() == b.len() && a.last().map(|dim| dim.size) == b.last().map(|dim| dim.size);
    has_same_channels.then(|| broadcast::broadcast_dims(a, b)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    #[test]
    fn derivative() {
        Trial::new().check(&Add, &[&[3], &[3]]);
        Trial::new().check(&Add, &[&[2, 3], &[1, 3]]);
    }

    #[test]
    fn sides_of_different_sizes_are_refused() {
        let (width, hidden) = (Dim::new("width", 4), Dim::new("hidden", 8));
        let fault = Add.infer(&Trial::new().model(), &[&[width], &[hidden]]).unwrap_err();
        assert_eq!(fault, "its sides have dimensions [width 4] and [hidden 8]");
    }
}
