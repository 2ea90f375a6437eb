//! The loss that keeps a router's logits small.

use super::cross_entropy::log_sum_exp;
use super::{Cost, Operation, Passage, Reading, ResultKind};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// `(log Σ_e exp logit_e)²` of each token, summed over layers (arXiv 2202.08906, equation 5).
///
/// Input: logits `[experts]` of all layers, one after the other as more sequences. Output: no dimensions, the share of each
/// token, of which the mean over all entries is the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ZLoss {
    /// How many layers the input is of.
    pub num_layers: usize,
}

impl Operation for ZLoss {
    fn name(&self) -> &'static str {
        "z_loss"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("a loss of the router")
    }

    fn is_step(&self) -> bool {
        false
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [logits] = super::arity(inputs)?;
        match logits {
            [_] => Ok(Dims::new()),
            _ => Err(format!("it sums [experts], not {}", dim::show(logits))),
        }
    }

    /// An exponential and a sum for each expert, in every layer.
    fn cost(&self, _: &Model, inputs: &[&[Dim]], _: &[Dim]) -> Cost {
        let values = (self.num_layers * inputs.first().map_or(0, |logits| dim::num_elements(logits))) as f64;
        Cost { flops: 2.0 * values, saved: values, traffic: values, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::F32
    }

    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, _: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        Passage::Blocked("through the router's z-loss, which is not linear in it".to_owned())
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [logits] = super::operands(inputs);
        let share = |logits: &[f64]| self.num_layers as f64 * log_sum_exp(logits).powi(2);
        Tensor::new(logits.shape_with(&[]), logits.tokens().map(share).collect())
    }

    fn vjp(
        &self,
        _: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [logits] = super::operands(inputs);
        let mut of_logits = logits.clone();
        for (logits, g) in of_logits.tokens_mut().zip(&gradient.data) {
            let log_sum = log_sum_exp(logits);
            let factor = 2.0 * self.num_layers as f64 * g * log_sum;
            for logit in logits {
                *logit = factor * (*logit - log_sum).exp();
            }
        }
        vec![Some(of_logits)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    #[test]
    fn derivative() {
        Trial::new().check(&ZLoss { num_layers: 3 }, &[&[5]]);
    }

    #[test]
    fn equal_logits_cost_the_square_of_the_log_of_their_sum() {
        let logits = Tensor::filled(&[2, 1, 8], 3.0);
        let loss = Trial::new().eval(&ZLoss { num_layers: 2 }, &[logits]).mean();
        assert!((loss - 2.0 * (3.0 + 8_f64.ln()).powi(2)).abs() < 1e-12);
    }
}
