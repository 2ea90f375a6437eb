//! Multiplication by a scale vector.

use super::{Cost, Kept, Operation, Origin, Passage, Reading, ResultKind, Work};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, ScaleId, dim};
use serde::Serialize;

/// `y = γ ⊙ x`, γ broadcast over the leading dimensions; input and output have the same dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scale {
    /// γ.
    pub scale: ScaleId,
}

impl Operation for Scale {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn reading(&self, model: &Model) -> Reading {
        let path = model.scales.get(self.scale.0).map_or("", |scale| scale.path.as_str());
        Reading::LookThrough(format!("`{path}`, another scale vector"))
    }

    fn is_step(&self) -> bool {
        true
    }

    fn infer(&self, model: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x] = super::arity(inputs)?;
        let vector = model.scales.get(self.scale.0).ok_or("its vector is no scale vector of the model")?;
        if dim::broadcasts(&dim::sizes(&vector.dims), &dim::sizes(x)) {
            return Ok(x.to_vec());
        }
        Err(format!("`{}` {} does not fit {}", vector.path, dim::show(&vector.dims), dim::show(x)))
    }

    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = dim::num_elements(output) as f64;
        Cost { flops: values, traffic: 2.0 * values, ..Cost::default() }
    }

    /// For γ's own gradient.
    fn keeps_input(&self, _: usize) -> bool {
        true
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::InputOrWeights
    }

    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        // The product with the gradient before it is summed over tokens.
        kept.backward = work.out_bytes;
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
        let factors = spread(&env.gamma(self.scale), x.channel_shape());
        let mut y = x.clone();
        for token in y.tokens_mut() {
            for (value, factor) in token.iter_mut().zip(&factors) {
                *value *= factor;
            }
        }
        y
    }

    fn vjp(
        &self,
        env: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        gradients: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [x] = super::operands(inputs);
        let gamma = env.gamma(self.scale);
        let factors = spread(&gamma, x.channel_shape());
        let mut of_factors = vec![0.0; factors.len()];
        let mut of_x = gradient.clone();
        for (g, x) in of_x.tokens_mut().zip(x.tokens()) {
            for (((g, x), factor), sum) in g.iter_mut().zip(x).zip(&factors).zip(&mut of_factors) {
                *sum += *g * x;
                *g *= factor;
            }
        }
        let of_gamma = gather(&of_factors, &gamma, x.channel_shape());
        env.gamma_vjp(self.scale, &of_gamma, gradients);
        vec![Some(of_x)]
    }

    fn scales(&self) -> Vec<ScaleId> {
        vec![self.scale]
    }
}

/// The entry of `gamma` that meets each channel of a value of sizes `channel_shape`.
pub(super) fn spread(gamma: &Tensor, channel_shape: &[usize]) -> Vec<f64> {
    let entry = |entry: usize| gamma.data.get(entry).copied().unwrap_or(f64::NAN);
    dim::broadcast_channels(&gamma.shape, channel_shape).into_iter().map(entry).collect()
}

/// The transpose of [`spread`]: what the channels say, summed for each entry of `gamma`.
pub(super) fn gather(of_channels: &[f64], gamma: &Tensor, channel_shape: &[usize]) -> Tensor {
    let mut sums = Tensor::zeros(&gamma.shape);
    for (entry, term) in dim::broadcast_channels(&gamma.shape, channel_shape).into_iter().zip(of_channels) {
        if let Some(sum) = sums.data.get_mut(entry) {
            *sum += term;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScaleForm;
    use crate::op::trial::Trial;

    #[test]
    fn derivative_in_every_form_and_shape() {
        let forms = [
            ScaleForm::Direct,
            ScaleForm::OnePlus,
            ScaleForm::MagnitudeDirection,
            ScaleForm::ExpMagnitudeDirection,
            ScaleForm::Softplus,
        ];
        for form in forms {
            for shape in [&[][..], &[3], &[2, 1], &[2, 3]] {
                let mut trial = Trial::new();
                let scale = trial.scale("q.out_scale", form, shape);
                trial.check(&Scale { scale }, &[&[2, 3]]);
            }
        }
    }

    #[test]
    fn a_vector_of_another_size_is_refused() {
        let mut trial = Trial::new();
        let scale = trial.scale("norm.scale", ScaleForm::Direct, &[3]);
        let fault = Scale { scale }.infer(&trial.model(), &[&[Dim::new("width", 4)]]).unwrap_err();
        assert_eq!(fault, "`norm.scale` [d0 3] does not fit [width 4]");
    }
}
