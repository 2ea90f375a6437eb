//! Addition of a vector of each expert's own.

use super::{Cost, Kept, Operation, Origin, Passage, Reading, ResultKind, Work, by_expert};
use crate::eval::{Environment, Gradients, Tensor, accumulate};
use crate::{Dim, Dims, Model, Op, ParamId, dim};
use serde::Serialize;

/// `y_c = x_c + b[e_c]` for each chosen expert e_c. Inputs: x `[chosen, …]` and the chosen experts `[chosen]`; output as x.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ExpertBias {
    /// `b`, `[experts, …]`.
    pub param: ParamId,
}

impl Operation for ExpertBias {
    fn name(&self) -> &'static str {
        "expert_bias"
    }

    fn reading(&self, model: &Model) -> Reading {
        let path = model.params.get(self.param.0).map_or("", |param| param.path.as_str());
        Reading::LookThrough(format!("`{path}`, which only shifts it"))
    }

    fn is_step(&self) -> bool {
        true
    }

    fn infer(&self, model: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let bias = model.params.get(self.param.0).ok_or("its vectors are no parameter of the model")?;
        by_expert::infer(&bias.path, &bias.dims, inputs)
    }

    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = dim::num_elements(output) as f64;
        Cost { flops: values, traffic: 3.0 * values, ..Cost::default() }
    }

    /// The choice.
    fn keeps_input(&self, index: usize) -> bool {
        index == 1
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::InputOrWeights
    }

    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        // The vector of each row's expert, gone when the sum is made.
        kept.forward = work.out_bytes;
    }

    /// Affine, not linear.
    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, model: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        let path = model.params.get(self.param.0).map_or("bias", |param| param.path.as_str());
        Passage::Blocked(format!("through `{path}`, a bias, which it would not multiply"))
    }

    /// Every expert's entries take it.
    fn pull_scale(&self, _: &Model, channels: &[Option<usize>], _: &[&[Dim]], _: &[Dim]) -> Origin {
        Origin::Shifted { by: self.param, input: channels.to_vec() }
    }

    fn without_tensors(&self) -> Option<Op> {
        Some(Op::ExpertBias(Self { param: ParamId(0) }))
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x, chosen] = super::operands(inputs);
        let terms = by_expert::of_copies(env.value(self.param), chosen).flatten();
        Tensor::new(x.shape.clone(), x.data.iter().zip(terms).map(|(x, term)| x + term).collect())
    }

    fn vjp(
        &self,
        env: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        gradients: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [_, chosen] = super::operands(inputs);
        let of_bias = by_expert::gather(&gradient.data, env.value(self.param), chosen);
        accumulate(gradients, env.instance(self.param), of_bias);
        vec![Some(gradient.clone()), None]
    }

    fn params(&self) -> Vec<ParamId> {
        vec![self.param]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::{self, Trial};

    #[test]
    fn derivative() {
        let mut trial = Trial::new();
        let param = trial.param("experts.gate.bias", &[4, 3], 0);
        let inputs = [trial::random_activation(&[2, 3], 1), trial::random_choice(4, 2)];
        trial.check_at(&ExpertBias { param }, &inputs);
    }
}
