//! The loss of each token.

use super::memory::F32;
use super::{Cost, Kept, Operation, Passage, Reading, ResultKind, Work};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// `y = logsumexp(logits) − logits[target]`, in nats; inputs: logits `[vocab]`, targets; output: no dimensions.
/// The model's loss is its mean over batch and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CrossEntropy;

impl Operation for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("the loss")
    }

    fn is_step(&self) -> bool {
        false
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [logits, targets] = super::arity(inputs)?;
        if logits.len() == 1 && targets.is_empty() {
            return Ok(Dims::new());
        }
        Err(format!(
            "it compares [vocab] with token ids, not {} with {}",
            dim::show(logits),
            dim::show(targets)
        ))
    }

    /// A difference, an exponential, a sum and another difference per logit; the log-probabilities are kept.
    fn cost(&self, _: &Model, inputs: &[&[Dim]], _: &[Dim]) -> Cost {
        let values = inputs.first().map_or(0, |logits| dim::num_elements(logits)) as f64;
        Cost { flops: 4.0 * values, saved: values, traffic: 2.0 * values, ..Cost::default() }
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::F32
    }

    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        // The gradient is made in the place of the log-probabilities, and counted where it is handed on; a narrow one is its copy.
        kept.own = 0;
        kept.forward = F32 * work.in_entries + work.widened;
        kept.backward = work.widened;
    }

    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, _: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        Passage::Blocked("through `cross_entropy`, which is not linear".to_owned())
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [logits, targets] = super::operands(inputs);
        let loss = |(logits, &target): (&[f64], &f64)| {
            let of_target = logits.get(target as usize).expect("a token id is below vocab");
            log_sum_exp(logits) - of_target
        };
        Tensor::new(targets.shape.clone(), logits.tokens().zip(&targets.data).map(loss).collect())
    }

    /// The probabilities, less 1 at the target.
    fn vjp(
        &self,
        _: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [logits, targets] = super::operands(inputs);
        let mut of_logits = logits.clone();
        for ((token, &target), g) in of_logits.tokens_mut().zip(&targets.data).zip(&gradient.data) {
            let log_sum = log_sum_exp(token);
            for (id, value) in token.iter_mut().enumerate() {
                let expected = if id == target as usize { 1.0 } else { 0.0 };
                *value = g * ((*value - log_sum).exp() - expected);
            }
        }
        vec![Some(of_logits), None]
    }
}

/// `log Σ exp logit`.
pub(super) fn log_sum_exp(logits: &[f64]) -> f64 {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + logits.iter().map(|logit| (logit - largest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    #[test]
    fn derivative() {
        let mut trial = Trial::new();
        trial.vocab(7);
        trial.check_on_logits(&CrossEntropy);
    }

    #[test]
    fn equal_logits_cost_the_log_of_their_number() {
        let logits = Tensor::filled(&[1, 1, 8], 1e3);
        let loss = Trial::new().eval(&CrossEntropy, &[logits, Tensor::new(vec![1, 1], vec![5.0])]);
        assert!((loss.mean() - 8_f64.ln()).abs() < 1e-12);
    }
}
