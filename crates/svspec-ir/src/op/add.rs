//! Element-wise sum.

use super::{Cost, Operation, Passage};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// `y = a + b`; both inputs and the output have the same dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Add;

impl Operation for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        super::same_dims(inputs)
    }

    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = dim::num_elements(output) as f64;
        Cost { flops: values, traffic: 3.0 * values, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    /// Affine in either: the other is added.
    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, _: &Model, _: usize, _: &[usize], _: &[&[Dim]]) -> Passage {
        Passage::Blocked("through `add`, whose other side it would not multiply".to_owned())
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [a, b] = super::operands(inputs);
        a.zip(b, |a, b| a + b)
    }

    fn vjp(
        &self,
        _: &Environment<'_>,
        _: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        vec![Some(gradient.clone()), Some(gradient.clone())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    #[test]
    fn derivative() {
        Trial::new().check(&Add, &[&[3], &[3]]);
    }

    #[test]
    fn sides_of_different_sizes_are_refused() {
        let (width, hidden) = (Dim::new("width", 4), Dim::new("hidden", 8));
        let fault = Add.infer(&Trial::new().model(), &[&[width], &[hidden]]).unwrap_err();
        assert_eq!(fault, "its sides have dimensions [width 4] and [hidden 8]");
    }
}
