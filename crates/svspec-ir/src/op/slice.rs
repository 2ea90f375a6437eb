//! One projection's share of a fused linear map's output.

use super::{Cost, Operation, Passage};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// `y = x[start .. start + num_elements(dims)]`, viewed as `dims`; input: one dimension; output: `dims`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slice {
    /// The first channel.
    pub start: usize,
    /// The output's dimensions.
    pub dims: Dims,
}

impl Operation for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x] = super::arity(inputs)?;
        let end = self.start + dim::num_elements(&self.dims);
        if x.len() == 1 && end <= dim::num_elements(x) {
            return Ok(self.dims.clone());
        }
        Err(format!("channels {}..{end} are not in {}", self.start, dim::show(x)))
    }

    /// A view.
    fn cost(&self, _: &Model, _: &[&[Dim]], _: &[Dim]) -> Cost {
        Cost::default()
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    fn is_linear_in(&self, _: usize) -> bool {
        true
    }

    fn pass_scale(&self, _: &Model, _: usize, channels: &[usize], _: &[&[Dim]]) -> Passage {
        let taken = channels.iter().skip(self.start).take(dim::num_elements(&self.dims));
        Passage::Through(taken.copied().collect())
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x] = super::operands(inputs);
        let len = dim::num_elements(&self.dims);
        let data = x.tokens().flat_map(|token| token.iter().skip(self.start).take(len)).copied().collect();
        Tensor::new(x.shape_with(&dim::sizes(&self.dims)), data)
    }

    fn vjp(
        &self,
        _: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [x] = super::operands(inputs);
        let mut of_x = Tensor::zeros(&x.shape);
        for (token, gradient) in of_x.tokens_mut().zip(gradient.tokens()) {
            for (sum, term) in token.iter_mut().skip(self.start).zip(gradient) {
                *sum += term;
            }
        }
        vec![Some(of_x)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    fn slice() -> Slice {
        Slice { start: 2, dims: vec![Dim::new("heads", 2), Dim::new("head_dim", 2)] }
    }

    #[test]
    fn derivative() {
        Trial::new().check(&slice(), &[&[7]]);
    }

    #[test]
    fn a_scale_passes_with_the_channels_that_are_taken() {
        let passage = slice().pass_scale(&Trial::new().model(), 0, &[0, 1, 2, 3, 4, 5, 6], &[]);
        assert_eq!(passage, Passage::Through(vec![2, 3, 4, 5]));
    }

    #[test]
    fn channels_past_the_end_are_refused() {
        let fault = slice().infer(&Trial::new().model(), &[&[Dim::new("fused", 5)]]).unwrap_err();
        assert_eq!(fault, "channels 2..6 are not in [fused 5]");
    }
}
