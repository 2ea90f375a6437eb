//! The balancing loss of a mixture of experts.

use super::route::Scores;
use super::{Attribute, Cost, Operation, Passage, Reading, ResultKind};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// Over which tokens loads and scores are averaged before they are multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// Those of all layers together.
    All,
    /// Those of each layer; the losses of layers add up (arXiv 2101.03961, equations 4 to 6).
    Layer,
    /// Those of each sequence in each layer; the mean over sequences, and the sum over layers (arXiv 2412.19437,
    /// equations 17 to 20).
    Sequence,
}

/// `experts · Σ_e f_e P_e`, where `f_e` is the share of tokens that are given to expert e, and `P_e` the mean of its score;
/// a token's scores are made to sum to 1. It is smallest where all experts have the same load. The loads are constant in the
/// derivative.
///
/// Inputs: logits `[experts]` and chosen experts `[chosen]` of all layers, one after the other as more sequences. Output: no
/// dimensions, the share of each token, of which the mean over all entries is the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// What is averaged.
    pub scores: Scores,
    /// Over what.
    pub over: Over,
    /// How many layers the inputs are of.
    pub num_layers: usize,
}

impl Operation for Balance {
    fn name(&self) -> &'static str {
        "balance"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("a loss of the router")
    }

    fn is_step(&self) -> bool {
        false
    }

    fn attributes(&self, _: &[Dim]) -> Vec<Attribute> {
        let over = match self.over {
            Over::All => "all layers",
            Over::Layer => "each layer",
            Over::Sequence => "each sequence",
        };
        let scores = match self.scores {
            Scores::Softmax => None,
            Scores::Sigmoid => Some(("scores", "sigmoid".to_owned())),
        };
        std::iter::once(("over", over.to_owned())).chain(scores).collect()
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [logits, chosen] = super::arity(inputs)?;
        match (logits, chosen) {
            ([experts], [dim]) if dim.size <= experts.size => Ok(Dims::new()),
            _ => Err(format!(
                "it compares [experts] with [chosen], not {} with {}",
                dim::show(logits),
                dim::show(chosen)
            )),
        }
    }

    /// Scores and two products for each expert, in every layer.
    fn cost(&self, _: &Model, inputs: &[&[Dim]], _: &[Dim]) -> Cost {
        let values = (self.num_layers * inputs.first().map_or(0, |logits| dim::num_elements(logits))) as f64;
        Cost { flops: 5.0 * values, saved: values, traffic: 2.0 * values, ..Cost::default() }
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
        Passage::Blocked("through the balancing loss, which is not linear in it".to_owned())
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [logits, chosen] = super::operands(inputs);
        let num_experts = logits.num_channels();
        let size = self.group_size(logits);
        let mut shares = Vec::new();
        let groups =
            logits.data.chunks(size * num_experts).zip(chosen.data.chunks(size * chosen.num_channels()));
        for (logits, chosen) in groups {
            let pulls = self.pulls(num_experts, logits, chosen);
            for logits in logits.chunks_exact(num_experts) {
                let scores = shares_of(&self.scores.of(logits));
                shares.push(scores.iter().zip(&pulls).map(|(score, pull)| score * pull).sum());
            }
        }
        Tensor::new(logits.shape_with(&[]), shares)
    }

    fn vjp(
        &self,
        _: &Environment<'_>,
        inputs: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [logits, chosen] = super::operands(inputs);
        let num_experts = logits.num_channels();
        let size = self.group_size(logits);
        let mut of_logits = Vec::new();
        let groups =
            logits.data.chunks(size * num_experts).zip(chosen.data.chunks(size * chosen.num_channels()));
        for ((logits, chosen), g) in groups.zip(gradient.data.chunks(size)) {
            let pulls = self.pulls(num_experts, logits, chosen);
            for (logits, g) in logits.chunks_exact(num_experts).zip(g) {
                let scores = self.scores.of(logits);
                let sum: f64 = scores.iter().sum();
                // Of p = s / Σs: ∂s_e = (pull_e − Σ_j p_j pull_j) / Σs.
                let mean: f64 = shares_of(&scores).iter().zip(&pulls).map(|(share, pull)| share * pull).sum();
                let of_scores: Vec<f64> = pulls.iter().map(|pull| g * (pull - mean) / sum).collect();
                of_logits.extend(self.scores.vjp(&scores, &of_scores));
            }
        }
        vec![Some(Tensor::new(logits.shape.clone(), of_logits)), None]
    }
}

impl Balance {
    /// The number of tokens that are averaged over.
    fn group_size(&self, logits: &Tensor) -> usize {
        let num_tokens = logits.tokens().len();
        let num_sequences = logits.shape.first().copied().unwrap_or(1);
        let num_groups = match self.over {
            Over::All => 1,
            Over::Layer => self.num_layers,
            Over::Sequence => num_sequences,
        };
        (num_tokens / num_groups.max(1)).max(1)
    }

    /// What a token's share for each expert costs it: `experts · f_e`, for the losses of all layers in their mean.
    fn pulls(&self, num_experts: usize, logits: &[f64], chosen: &[f64]) -> Vec<f64> {
        let num_tokens = logits.len() / num_experts.max(1);
        let layers = match self.over {
            Over::All => 1.0,
            Over::Layer | Over::Sequence => self.num_layers as f64,
        };
        let mut pulls = vec![0.0; num_experts];
        for &expert in chosen {
            if let Some(pull) = pulls.get_mut(expert as usize) {
                *pull += layers * num_experts as f64 / num_tokens as f64;
            }
        }
        pulls
    }
}

fn shares_of(scores: &[f64]) -> Vec<f64> {
    let sum: f64 = scores.iter().sum();
    scores.iter().map(|score| score / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::{self, Trial};

    #[test]
    fn derivative_in_every_form() {
        for scores in [Scores::Softmax, Scores::Sigmoid] {
            for over in [Over::All, Over::Layer, Over::Sequence] {
                let inputs = [trial::random_activation(&[5], 1), trial::random_choice(5, 3)];
                Trial::new().check_at(&Balance { scores, over, num_layers: 2 }, &inputs);
            }
        }
    }

    /// Two layers of one sequence of two tokens, three experts, one for each token; softmaxes by hand.
    #[test]
    fn losses_are_those_of_the_formulas() {
        let token = |shares: [f64; 3]| shares.map(f64::ln);
        let tokens = [[0.5, 0.3, 0.2], [0.6, 0.2, 0.2], [0.1, 0.8, 0.1], [0.7, 0.2, 0.1]].map(token);
        let logits = Tensor::new(vec![2, 2, 3], tokens.concat());
        let chosen = Tensor::new(vec![2, 2, 1], vec![0.0, 0.0, 1.0, 0.0]);
        let loss = |over| {
            let balance = Balance { scores: Scores::Softmax, over, num_layers: 2 };
            Trial::new().eval(&balance, &[logits.clone(), chosen.clone()]).mean()
        };
        let all = 3.0 * (0.75 * (1.9 / 4.0) + 0.25 * (1.5 / 4.0));
        let first = 3.0 * (1.1 / 2.0);
        let second = 3.0 * (0.5 * (0.8 / 2.0) + 0.5 * (1.0 / 2.0));
        assert!((loss(Over::All) - all).abs() < 1e-12);
        assert!((loss(Over::Layer) - (first + second)).abs() < 1e-12);
        assert!((loss(Over::Sequence) - (first + second)).abs() < 1e-12, "each layer has one sequence");
    }
}
