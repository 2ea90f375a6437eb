//! Rows of a table, chosen by position: learned absolute positions.

use super::{Attribute, Cost, Kept, Operation, Passage, Reading, ResultKind, Work, table_rows};
use crate::eval::{Documents, Environment, Gradients, Tensor, accumulate};
use crate::{Dim, Dims, Model, Op, ParamId, dim};
use serde::Serialize;

/// `y_t = table[t + offset]`, t counted from 0 in each sequence, or document; input: tokens; output
/// `[width]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Positions {
    /// The table, `[positions, width]`.
    pub table: ParamId,
    /// The row of the first position.
    pub offset: usize,
}

impl Operation for Positions {
    fn name(&self) -> &'static str {
        "positions"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("an input")
    }

    fn is_step(&self) -> bool {
        false
    }

    fn attributes(&self, _: &[Dim]) -> Vec<Attribute> {
        if self.offset > 0 { vec![("offset", self.offset.to_string())] } else { Vec::new() }
    }

    fn infer(&self, model: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [_] = super::arity(inputs)?;
        let table = model.params.get(self.table.0).ok_or("its table is no parameter of the model")?;
        match table.dims.as_slice() {
            [rows, channels @ ..] if rows.size >= model.context + self.offset && !channels.is_empty() => {
                Ok(channels.to_vec())
            }
            dims => Err(format!(
                "its table has dimensions {}, not [positions, width] with a row for each of {} positions from row {} on",
                dim::show(dims),
                model.context,
                self.offset
            )),
        }
    }

    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        Cost { traffic: 2.0 * dim::num_elements(output) as f64, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    fn mixes_tokens(&self) -> bool {
        true
    }

    fn stays_within_documents(&self) -> bool {
        true
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::Weights
    }

    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        kept.backward = work.of_sequence();
    }

    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, _: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        Passage::Blocked("through `positions`, which reads only where a token stands".to_owned())
    }

    fn without_tensors(&self) -> Option<Op> {
        Some(Op::Positions(Self { table: ParamId(0), ..*self }))
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [tokens] = super::operands(inputs);
        table_rows::gather(env.value(self.table), tokens, self.rows(env, tokens))
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
        let of_table = table_rows::scatter(env.value(self.table), gradient, self.rows(env, tokens));
        accumulate(gradients, env.instance(self.table), of_table);
        vec![None]
    }

    fn params(&self) -> Vec<ParamId> {
        vec![self.table]
    }
}

impl Positions {
    /// The row of each token: its position, from `offset` on.
    fn rows(&self, env: &Environment<'_>, tokens: &Tensor) -> impl Iterator<Item = usize> {
        let (documents, offset) = (Documents::of(env, tokens), self.offset);
        (0..documents.num_tokens()).map(move |index| documents.position(index) + offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    #[test]
    fn derivative() {
        let mut trial = Trial::new();
        let table = trial.param("pos.weight", &[7, 3], 0);
        for offset in [0, 2] {
            trial.check_on_tokens(&Positions { table, offset });
        }
    }

    #[test]
    fn a_table_with_fewer_rows_than_positions_is_refused() {
        let mut trial = Trial::new();
        let table = trial.param("pos.weight", &[5, 3], 0);
        let infer = |offset| Positions { table, offset }.infer(&trial.model(), &[&[]]);
        assert!(infer(1).is_ok(), "4 positions from row 1 on are 5 rows");
        assert!(infer(2).is_err());
    }
}
