//! One linear map for each expert.

use super::choose::channel_dims;
use super::memory::{BF16, F32};
use super::{Cost, Kept, Operation, Origin, Passage, Reading, ResultKind, Work};
use crate::eval::{Environment, Gradients, Tensor, accumulate};
use crate::{Dim, Dims, Model, Op, ParamId, Precision, dim};
use serde::Serialize;

/// `y_c = W[e_c] x_c` for each chosen expert e_c. Inputs: x `[chosen, in]` and the chosen experts `[chosen]`; output
/// `[chosen, out]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ExpertLinear {
    /// `W`, `[experts, out, in]`.
    pub weight: ParamId,
}

impl Operation for ExpertLinear {
    fn name(&self) -> &'static str {
        "expert_linear"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::LinearMap
    }

    fn is_step(&self) -> bool {
        false
    }

    fn infer(&self, model: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x, chosen] = super::arity(inputs)?;
        let weight = model.params.get(self.weight.0).ok_or("its weight is no parameter of the model")?;
        match (x, chosen, weight.dims.as_slice()) {
            ([copies, channels], [experts], [_, num_out, num_in])
                if copies.size == experts.size && channels.size == num_in.size =>
            {
                Ok(vec![copies.clone(), num_out.clone()])
            }
            _ => Err(format!("`{}` {} does not map {}", weight.path, dim::show(&weight.dims), dim::show(x))),
        }
    }

    /// That of the chosen experts.
    fn cost(&self, _: &Model, inputs: &[&[Dim]], output: &[Dim]) -> Cost {
        let values_in = inputs.first().map_or(0, |x| dim::num_elements(x)) as f64;
        let values_out = dim::num_elements(output) as f64;
        let matmul_flops = 2.0 * values_in * dim::num_elements(channel_dims(output)) as f64;
        Cost { flops: matmul_flops, matmul_flops, traffic: values_in + values_out, ..Cost::default() }
    }

    /// For the weight's gradient; and the choice.
    fn keeps_input(&self, _: usize) -> bool {
        true
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::Bf16
    }

    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        let entries = work.param_entries(self.weight);
        kept.forward = work.out_bytes;
        kept.backward = work.in_bytes + F32 * entries;
        if work.model.train.precision == Precision::Bf16 {
            kept.weight_copies = BF16 * entries;
        }
    }

    fn is_linear_in(&self, index: usize) -> bool {
        index == 0
    }

    /// Every expert's columns take it: nothing but the channel tells the copies of a token apart.
    fn pass_scale(&self, _: &Model, index: usize, channels: &[Option<usize>], inputs: &[&[Dim]]) -> Passage {
        let num_in = inputs.first().map_or(0, |x| dim::num_elements(channel_dims(x)));
        if index == 0 && super::is_periodic(channels, num_in) {
            Passage::Absorbed
        } else {
            Passage::Blocked(
                "into the experts' weights, which do not know the order of the choice".to_owned(),
            )
        }
    }

    fn pull_scale(&self, _: &Model, _: &[Option<usize>], _: &[&[Dim]], _: &[Dim]) -> Origin {
        Origin::Taken { by: self.weight, how: "the rows of every expert of" }
    }

    fn without_tensors(&self) -> Option<Op> {
        Some(Op::ExpertLinear(Self { weight: ParamId(0) }))
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x, chosen] = super::operands(inputs);
        let weight = env.value(self.weight);
        let [_, num_out, num_in] = sizes(weight);
        let mut data = Vec::new();
        for (copy, &expert) in x.data.chunks_exact(num_in).zip(&chosen.data) {
            for row in matrix(&weight.data, expert, num_out * num_in).chunks_exact(num_in) {
                data.push(row.iter().zip(copy).map(|(w, x)| w * x).sum());
            }
        }
        Tensor::new(x.shape_with(&[chosen.num_channels(), num_out]), data)
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
        let weight = env.value(self.weight);
        let [_, num_out, num_in] = sizes(weight);
        let mut of_weight = Tensor::zeros(&weight.shape);
        let mut of_x = Tensor::zeros(&x.shape);
        let copies = x.data.chunks_exact(num_in).zip(of_x.data.chunks_exact_mut(num_in));
        let copies = copies.zip(gradient.data.chunks_exact(num_out)).zip(&chosen.data);
        for (((copy, of_copy), g), &expert) in copies {
            let rows = matrix(&weight.data, expert, num_out * num_in).chunks_exact(num_in);
            let of_matrix = of_weight.data.chunks_exact_mut(num_out * num_in).nth(expert as usize);
            let of_rows = of_matrix.expect("a chosen expert is one of them").chunks_exact_mut(num_in);
            for ((row, of_row), g) in rows.zip(of_rows).zip(g) {
                for (((w, of_w), x), of_x) in row.iter().zip(of_row).zip(copy).zip(&mut *of_copy) {
                    *of_w += g * x;
                    *of_x += g * w;
                }
            }
        }
        accumulate(gradients, env.instance(self.weight), of_weight);
        vec![Some(of_x), None]
    }

    fn params(&self) -> Vec<ParamId> {
        vec![self.weight]
    }
}

/// `[experts, out, in]`, none of them 0.
fn sizes(weight: &Tensor) -> [usize; 3] {
    weight.shape.as_slice().try_into().expect("the weights of experts are [experts, out, in]")
}

fn matrix(weights: &[f64], expert: f64, num_entries: usize) -> &[f64] {
    weights.chunks_exact(num_entries).nth(expert as usize).expect("a chosen expert is one of them")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::{self, Trial};

    #[test]
    fn derivative() {
        let mut trial = Trial::new();
        let weight = trial.param("experts.gate.weight", &[4, 2, 3], 2);
        let inputs = [trial::random_activation(&[2, 3], 1), trial::random_choice(4, 2)];
        trial.check_at(&ExpertLinear { weight }, &inputs);
    }

    #[test]
    fn a_vector_that_differs_from_copy_to_copy_is_not_absorbed() {
        let op = ExpertLinear { weight: ParamId(0) };
        let dims: [&[Dim]; 2] = [&[Dim::new("chosen", 2), Dim::new("width", 2)], &[Dim::new("chosen", 2)]];
        let pass =
            |channels: &[usize]| op.pass_scale(&Trial::new().model(), 0, &trial::entries(channels), &dims);
        assert_eq!(pass(&[0, 1, 0, 1]), Passage::Absorbed);
        assert!(matches!(pass(&[0, 1, 2, 3]), Passage::Blocked(_)));
    }
}
