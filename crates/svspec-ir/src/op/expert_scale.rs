//! Multiplication by a scale vector of each expert's own.

use super::{Cost, Kept, Operation, Origin, Passage, Reading, ResultKind, Work, by_expert};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, ScaleId, dim};
use serde::Serialize;

/// `y_c = γ[e_c] ⊙ x_c` for each chosen expert e_c. Inputs: x `[chosen, …]` and the chosen experts `[chosen]`; output as x.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ExpertScale {
    /// γ, `[experts, …]`.
    pub scale: ScaleId,
}

impl Operation for ExpertScale {
    fn name(&self) -> &'static str {
        "expert_scale"
    }

    fn reading(&self, model: &Model) -> Reading {
        let path = model.scales.get(self.scale.0).map_or("", |scale| scale.path.as_str());
        Reading::LookThrough(format!("`{path}`, another scale vector"))
    }

    fn is_step(&self) -> bool {
        true
    }

    fn infer(&self, model: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let vectors = model.scales.get(self.scale.0).ok_or("its vectors are none of the model")?;
        by_expert::infer(&vectors.path, &vectors.dims, inputs)
    }

    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = dim::num_elements(output) as f64;
        Cost { flops: values, traffic: 3.0 * values, ..Cost::default() }
    }

    /// For γ's own gradient; and the choice.
    fn keeps_input(&self, _: usize) -> bool {
        true
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::InputOrWeights
    }

    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        // The vector of each row's expert, a factor.
        kept.own += work.out_bytes;
        kept.backward = work.out_bytes;
    }

    fn is_linear_in(&self, index: usize) -> bool {
        index == 0
    }

    fn pass_scale(&self, _: &Model, index: usize, channels: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        if index == 0 {
            Passage::Through(channels.to_vec())
        } else {
            Passage::Blocked("through the choice of experts".to_owned())
        }
    }

    fn pull_scale(&self, _: &Model, channels: &[Option<usize>], _: &[&[Dim]], _: &[Dim]) -> Origin {
        Origin::Inputs(vec![Some(channels.to_vec()), None])
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x, chosen] = super::operands(inputs);
        let gamma = env.gamma(self.scale);
        let factors = by_expert::of_copies(&gamma, chosen).flatten();
        Tensor::new(x.shape.clone(), x.data.iter().zip(factors).map(|(x, factor)| x * factor).collect())
    }

    fn vjp(
        &self,
        env: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        gradients: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [x, chosen] = super::operands(inputs);
        let gamma = env.gamma(self.scale);
        let factors = by_expert::of_copies(&gamma, chosen).flatten();
        let of_x = gradient.data.iter().zip(factors).map(|(g, factor)| g * factor).collect();
        let terms: Vec<f64> = gradient.data.iter().zip(&x.data).map(|(g, x)| g * x).collect();
        env.gamma_vjp(self.scale, &by_expert::gather(&terms, &gamma, chosen), gradients);
        vec![Some(Tensor::new(x.shape.clone(), of_x)), None]
    }

    fn scales(&self) -> Vec<ScaleId> {
        vec![self.scale]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScaleForm;
    use crate::op::trial::{self, Trial};

    #[test]
    fn derivative_in_every_form() {
        let forms = [
            ScaleForm::Direct,
            ScaleForm::OnePlus,
            ScaleForm::MagnitudeDirection,
            ScaleForm::ExpMagnitudeDirection,
        ];
        for form in forms {
            let mut trial = Trial::new();
            let scale = trial.expert_scale("experts.up.out_scale", form, &[4, 3]);
            let inputs = [trial::random_activation(&[2, 3], 1), trial::random_choice(4, 2)];
            trial.check_at(&ExpertScale { scale }, &inputs);
        }
    }
}
