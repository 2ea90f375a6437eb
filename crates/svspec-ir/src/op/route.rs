//! The weights of the chosen experts.

use super::{Attribute, Cost, Kept, Operation, Passage, Reading, ResultKind, Work};
use crate::eval::{Environment, Gradients, Tensor};
use crate::print::number::shortest;
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// What a router's logits become: one score for each expert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scores {
    /// The softmax over all experts.
    Softmax,
    /// The sigmoid of each.
    Sigmoid,
}

/// Inputs: logits `[experts]` and chosen experts `[chosen]`; output: their weights, `[chosen]`, which are their scores.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Route {
    /// The scores.
    pub scores: Scores,
    /// The scores of the chosen are divided by their sum and this number. A softmax is then one over the chosen, but
    /// for that number.
    pub normalized: Option<f64>,
}

impl Scores {
    /// Those of one token.
    pub fn of(self, logits: &[f64]) -> Vec<f64> {
        match self {
            Self::Softmax => softmax(logits),
            Self::Sigmoid => logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect(),
        }
    }

    /// The gradient of one token's logits from that of its scores.
    pub fn vjp(self, scores: &[f64], gradient: &[f64]) -> Vec<f64> {
        let pairs = scores.iter().zip(gradient);
        match self {
            Self::Softmax => {
                let mean: f64 = pairs.clone().map(|(score, g)| score * g).sum();
                pairs.map(|(score, g)| score * (g - mean)).collect()
            }
            Self::Sigmoid => pairs.map(|(score, g)| score * (1.0 - score) * g).collect(),
        }
    }
}

impl Operation for Route {
    fn name(&self) -> &'static str {
        match (self.scores, self.normalized) {
            (Scores::Softmax, None) => "softmax_weights",
            (Scores::Softmax, Some(0.0)) => "softmax_of_chosen",
            (Scores::Softmax, Some(_)) => "softmax_normalized",
            (Scores::Sigmoid, None) => "sigmoid_weights",
            (Scores::Sigmoid, Some(_)) => "sigmoid_normalized",
        }
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("the weights of experts")
    }

    fn is_step(&self) -> bool {
        false
    }

    fn attributes(&self, _: &[Dim]) -> Vec<Attribute> {
        let eps = self.normalized.filter(|eps| *eps > 0.0);
        eps.map(|eps| ("eps", shortest(eps))).into_iter().collect()
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [logits, chosen] = super::arity(inputs)?;
        match (logits, chosen) {
            ([experts], [dim]) if dim.size <= experts.size => Ok(chosen.to_vec()),
            _ => Err(format!(
                "it weighs [chosen] of [experts], not {} of {}",
                dim::show(chosen),
                dim::show(logits)
            )),
        }
    }

    /// An exponential, a sum and a quotient for each value that counts.
    fn cost(&self, _: &Model, inputs: &[&[Dim]], output: &[Dim]) -> Cost {
        let experts = inputs.first().map_or(0, |logits| dim::num_elements(logits)) as f64;
        let chosen = dim::num_elements(output) as f64;
        let values = match self.scores {
            Scores::Softmax if !self.is_softmax_of_chosen() => experts,
            Scores::Softmax | Scores::Sigmoid => chosen,
        };
        Cost { flops: 3.0 * values, saved: values, traffic: values + chosen, ..Cost::default() }
    }

    /// The choice; what else it keeps is its own.
    fn keeps_input(&self, index: usize) -> bool {
        index == 1
    }

    fn result_kind(&self) -> ResultKind {
        ResultKind::F32
    }

    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        kept.forward = work.in_bytes;
    }

    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, _: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        Passage::Blocked("through the weights of experts, which are not linear in it".to_owned())
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [logits, chosen] = super::operands(inputs);
        let weights = logits.tokens().zip(chosen.tokens()).flat_map(|(logits, chosen)| {
            let scores = pick(&self.scores.of(logits), chosen);
            let sum = self.normalized.map_or(1.0, |eps| scores.iter().sum::<f64>() + eps);
            scores.into_iter().map(move |score| score / sum)
        });
        let data = weights.collect();
        Tensor::new(chosen.shape.clone(), data)
    }

    fn vjp(
        &self,
        _: &Environment<'_>,
        inputs: &[&Tensor],
        output: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        let [logits, chosen] = super::operands(inputs);
        let mut of_logits = Vec::new();
        let tokens = logits.tokens().zip(chosen.tokens()).zip(output.tokens().zip(gradient.tokens()));
        for ((logits, chosen), (weights, g)) in tokens {
            let scores = self.scores.of(logits);
            // With w = s / D and D = Σs + eps: ∂s_i = (g_i − Σ_j g_j w_j) / D.
            let (sum, mean) = match self.normalized {
                None => (1.0, 0.0),
                Some(eps) => (
                    pick(&scores, chosen).iter().sum::<f64>() + eps,
                    weights.iter().zip(g).map(|(w, g)| w * g).sum(),
                ),
            };
            let mut of_scores = vec![0.0; scores.len()];
            for (&expert, g) in chosen.iter().zip(g) {
                if let Some(of_score) = of_scores.get_mut(expert as usize) {
                    *of_score += (g - mean) / sum;
                }
            }
            of_logits.extend(self.scores.vjp(&scores, &of_scores));
        }
        vec![Some(Tensor::new(logits.shape.clone(), of_logits)), None]
    }
}

impl Route {
    /// Whether the scores of the others cancel.
    pub fn is_softmax_of_chosen(self) -> bool {
        self.scores == Scores::Softmax && self.normalized == Some(0.0)
    }
}

fn pick(scores: &[f64], chosen: &[f64]) -> Vec<f64> {
    chosen.iter().map(|&expert| scores.get(expert as usize).copied().unwrap_or(f64::NAN)).collect()
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exps: Vec<f64> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f64 = exps.iter().sum();
    exps.into_iter().map(|exp| exp / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::{self, Trial};

    fn all(eps: f64) -> [Route; 4] {
        let of = |scores| [None, Some(eps)].map(|normalized| Route { scores, normalized });
        let [a, b] = of(Scores::Softmax);
        let [c, d] = of(Scores::Sigmoid);
        [a, b, c, d]
    }

    #[test]
    fn derivative_in_every_form() {
        for route in all(0.0).into_iter().chain(all(0.3)) {
            let inputs = [trial::random_activation(&[5], 1), trial::random_choice(5, 3)];
            Trial::new().check_at(&route, &inputs);
        }
    }

    #[test]
    fn weights_are_those_of_the_formulas() {
        let logits = Tensor::new(vec![1, 1, 3], vec![2_f64.ln(), 5_f64.ln(), 3_f64.ln()]);
        let chosen = Tensor::new(vec![1, 1, 2], vec![1.0, 2.0]);
        let sigmoids = [5.0 / 6.0, 3.0 / 4.0];
        let expected = [
            [5.0 / 10.0, 3.0 / 10.0],
            [5.0 / 8.0, 3.0 / 8.0],
            sigmoids,
            sigmoids.map(|score| score / (5.0 / 6.0 + 3.0 / 4.0)),
        ];
        // The chosen sum to 0.8, and the sigmoids with this number to 2.
        let eps = 2.0 - (5.0 / 6.0 + 3.0 / 4.0);
        let softmax = Route { scores: Scores::Softmax, normalized: Some(0.2) };
        let sigmoid = Route { scores: Scores::Sigmoid, normalized: Some(eps) };
        let with_eps = [(softmax, expected[0]), (sigmoid, sigmoids.map(|score| score / 2.0))];
        for (route, expected) in all(0.0).into_iter().zip(expected).chain(with_eps) {
            let found = Trial::new().eval(&route, &[logits.clone(), chosen.clone()]);
            for (found, expected) in found.data.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-12, "{route:?}: {found} against {expected}");
            }
        }
    }
}
