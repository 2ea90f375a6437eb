//! Rows of a table, chosen by token id.

use super::{Cost, Operation, Passage};
use crate::eval::{Environment, Gradients, Tensor, accumulate};
use crate::{Dim, Dims, Model, ParamId, dim};
use serde::Serialize;

/// `y = table[token]`; input: tokens; output `[width]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Embed {
    /// The table, `[vocab, width]`.
    pub table: ParamId,
}

impl Operation for Embed {
    fn name(&self) -> &'static str {
        "embed"
    }

    fn infer(&self, model: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [_] = super::arity(inputs)?;
        let table = model.params.get(self.table.0).ok_or("its table is no parameter of the model")?;
        match table.dims.as_slice() {
            [_, channels @ ..] if !channels.is_empty() => Ok(channels.to_vec()),
            dims => Err(format!("its table has dimensions {}, not [vocab, width]", dim::show(dims))),
        }
    }

    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        Cost { traffic: 2.0 * dim::num_elements(output) as f64, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, _: &Model, _: usize, _: &[usize], _: &[&[Dim]]) -> Passage {
        Passage::Blocked("through `embed`, which reads token ids".to_owned())
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [tokens] = super::operands(inputs);
        let table = env.value(self.table);
        let channels = table.shape.get(1..).unwrap_or_default();
        let width = channels.iter().product::<usize>().max(1);
        let row = |&token: &f64| table.data.chunks_exact(width).nth(token as usize);
        let data =
            tokens.data.iter().flat_map(|token| row(token).expect("a token id is below vocab")).copied();
        Tensor::new(tokens.shape_with(channels), data.collect())
    }

    fn vjp(
        &self,
        env: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        gradients: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [tokens] = super::operands(inputs);
        let mut of_table = Tensor::zeros(&env.value(self.table).shape);
        let width = gradient.num_channels().max(1);
        for (&token, from) in tokens.data.iter().zip(gradient.tokens()) {
            if let Some(row) = of_table.data.chunks_exact_mut(width).nth(token as usize) {
                for (sum, term) in row.iter_mut().zip(from) {
                    *sum += term;
                }
            }
        }
        accumulate(gradients, env.instance(self.table), of_table);
        vec![None]
    }

    fn params(&self) -> Vec<ParamId> {
        vec![self.table]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    #[test]
    fn derivative() {
        let mut trial = Trial::new();
        let table = trial.param("embed.weight", &[7, 3], 0);
        trial.vocab(7);
        trial.check_on_tokens(&Embed { table });
    }
}
