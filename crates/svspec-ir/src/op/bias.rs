//! Addition of a parameter vector.

use super::{Cost, Operation, Origin, Passage, Reading, ResultKind, scale};
use crate::eval::{Environment, Gradients, Tensor, accumulate};
use crate::{Dim, Dims, Model, Op, ParamId, dim};
use serde::Serialize;

/// `y = x + b`, `b` broadcast over the leading dimensions; input and output have the same dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bias {
    /// `b`.
    pub param: ParamId,
}

impl Operation for Bias {
    fn name(&self) -> &'static str {
        "bias"
    }

    fn reading(&self, model: &Model) -> Reading {
        let path = model.params.get(self.param.0).map_or("", |param| param.path.as_str());
        Reading::LookThrough(format!("`{path}`, which only shifts it"))
    }

    fn is_step(&self) -> bool {
        true
    }

    fn infer(&self, model: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x] = super::arity(inputs)?;
        let bias = model.params.get(self.param.0).ok_or("its vector is no parameter of the model")?;
        if dim::broadcasts(&dim::sizes(&bias.dims), &dim::sizes(x)) {
            return Ok(x.to_vec());
        }
        Err(format!("`{}` {} does not fit {}", bias.path, dim::show(&bias.dims), dim::show(x)))
    }

    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = dim::num_elements(output) as f64;
        Cost { flops: values, traffic: 2.0 * values, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::InputOrWeights
    }

    /// Affine, not linear.
    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, model: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        let path = model.params.get(self.param.0).map_or("bias", |param| param.path.as_str());
        Passage::Blocked(format!("through `{path}`, a bias, which it would not multiply"))
    }

    fn pull_scale(&self, model: &Model, channels: &[Option<usize>], _: &[&[Dim]], output: &[Dim]) -> Origin {
        match model.params.get(self.param.0) {
            Some(param) if dim::sizes(&param.dims) == dim::sizes(output) => {
                Origin::Shifted { by: self.param, input: channels.to_vec() }
            }
            Some(param) => {
                Origin::Blocked(format!("adds one number of `{}` to several channels", param.path))
            }
            None => Origin::Blocked("is a sum".to_owned()),
        }
    }

    fn without_tensors(&self) -> Option<Op> {
        Some(Op::Bias(Self { param: ParamId(0) }))
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x] = super::operands(inputs);
        let terms = scale::spread(env.value(self.param), x.channel_shape());
        let mut y = x.clone();
        for token in y.tokens_mut() {
            for (value, term) in token.iter_mut().zip(&terms) {
                *value += term;
            }
        }
        y
    }

    fn vjp(
        &self,
        env: &Environment<'_>,
        _: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        gradients: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let mut sums = vec![0.0; gradient.num_channels()];
        for token in gradient.tokens() {
            for (sum, term) in sums.iter_mut().zip(token) {
                *sum += term;
            }
        }
        let of_bias = scale::gather(&sums, env.value(self.param), gradient.channel_shape());
        accumulate(gradients, env.instance(self.param), of_bias);
        vec![Some(gradient.clone())]
    }

    fn params(&self) -> Vec<ParamId> {
        vec![self.param]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::{Trial, entries};

    #[test]
    fn derivative() {
        for shape in [&[3][..], &[2, 3]] {
            let mut trial = Trial::new();
            let param = trial.param("q.bias", shape, 0);
            trial.check(&Bias { param }, &[&[2, 3]]);
        }
    }

    #[test]
    fn no_scale_passes_an_addition() {
        let mut trial = Trial::new();
        let param = trial.param("q.bias", &[3], 0);
        let passage =
            Bias { param }.pass_scale(&trial.model(), 0, &entries(&[0, 1, 2]), &[&[Dim::new("width", 3)]]);
        let reason = "through `q.bias`, a bias, which it would not multiply".to_owned();
        assert_eq!(passage, Passage::Blocked(reason));
    }
}
