//! The same channels under other dimensions: heads apart, or side by side.

use super::{Cost, Operation, Origin, Passage, Reading};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// `y = x`, viewed as `dims`; of input and output at least one has one dimension, and both have as many channels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct View {
    /// The output's dimensions.
    pub dims: Dims,
}

impl Operation for View {
    fn name(&self) -> &'static str {
        "view"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::LookThrough("a view".to_owned())
    }

    fn is_step(&self) -> bool {
        true
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x] = super::arity(inputs)?;
        let is_flat = x.len() == 1 || self.dims.len() == 1;
        if is_flat && dim::num_elements(x) == dim::num_elements(&self.dims) {
            return Ok(self.dims.clone());
        }
        Err(format!("{} cannot be seen as {}", dim::show(x), dim::show(&self.dims)))
    }

    /// Nothing moves.
    fn cost(&self, _: &Model, _: &[&[Dim]], _: &[Dim]) -> Cost {
        Cost::default()
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
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

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x] = super::operands(inputs);
        Tensor::new(x.shape_with(&dim::sizes(&self.dims)), x.data.clone())
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
        vec![Some(Tensor::new(x.shape.clone(), gradient.data.clone()))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::{Trial, entries};

    fn heads() -> View {
        View { dims: vec![Dim::new("heads", 2), Dim::new("head_dim", 3)] }
    }

    #[test]
    fn derivative_of_both_directions() {
        Trial::new().check(&heads(), &[&[6]]);
        Trial::new().check(&View { dims: vec![Dim::new("channels", 6)] }, &[&[2, 3]]);
    }

    #[test]
    fn a_scale_passes_as_it_is() {
        let channels = entries(&[0, 1, 2, 0, 1, 2]);
        let passage = heads().pass_scale(&Trial::new().model(), 0, &channels, &[]);
        assert_eq!(passage, Passage::Through(channels));
    }

    #[test]
    fn another_number_of_channels_is_refused() {
        let fault = heads().infer(&Trial::new().model(), &[&[Dim::new("width", 5)]]).unwrap_err();
        assert_eq!(fault, "[width 5] cannot be seen as [heads 2, head_dim 3]");
    }
}
