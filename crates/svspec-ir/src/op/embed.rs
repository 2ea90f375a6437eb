//! Rows of a table, chosen by token id.

use super::{Cost, Operation, Origin, Passage, Reading, ResultKind, table_rows};
use crate::eval::{Environment, Gradients, Tensor, accumulate};
use crate::{Dim, Dims, Model, Op, ParamId, dim};
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

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("an input")
    }

    fn is_step(&self) -> bool {
        false
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

    fn result_kind(&self) -> ResultKind {
        ResultKind::Weights
    }

    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, _: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        Passage::Blocked("through `embed`, which reads token ids".to_owned())
    }

    fn pull_scale(&self, _: &Model, _: &[Option<usize>], _: &[&[Dim]], _: &[Dim]) -> Origin {
        Origin::Taken { by: self.table, how: "the columns of" }
    }

    fn without_tensors(&self) -> Option<Op> {
        Some(Op::Embed(Self { table: ParamId(0) }))
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [tokens] = super::operands(inputs);
        table_rows::gather(env.value(self.table), tokens, rows(tokens))
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
        let of_table = table_rows::scatter(env.value(self.table), gradient, rows(tokens));
        accumulate(gradients, env.instance(self.table), of_table);
        vec![None]
    }

    fn params(&self) -> Vec<ParamId> {
        vec![self.table]
    }
}

/// The row of each token: its id, which is below `vocab`.
fn rows(tokens: &Tensor) -> impl Iterator<Item = usize> {
    tokens.data.iter().map(|&token| token as usize)
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
