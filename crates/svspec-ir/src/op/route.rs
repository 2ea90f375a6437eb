//! The weights of the chosen experts.

use super::{Cost, Operation, Passage, Reading};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// How a router's logits become the weights of the experts that were chosen by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gating {
    /// The softmax over all experts; weights of the chosen sum to less than 1.
    Softmax,
    /// The softmax over the chosen, which is that over all of them, renormalised.
    SoftmaxOfChosen,
    /// The sigmoid of each.
    Sigmoid,
    /// The sigmoids of the chosen, divided by their sum.
    SigmoidNormalized,
}

/// Inputs: logits `[experts]` and chosen experts `[chosen]`; output: their weights, `[chosen]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// The formula.
    pub gating: Gating,
}

impl Operation for Route {
    fn name(&self) -> &'static str {
        match self.gating {
            Gating::Softmax => "softmax_weights",
            Gating::SoftmaxOfChosen => "softmax_of_chosen",
            Gating::Sigmoid => "sigmoid_weights",
            Gating::SigmoidNormalized => "sigmoid_normalized",
        }
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("the weights of experts")
    }

    fn is_step(&self) -> bool {
        false
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
        let values = match self.gating {
            Gating::Softmax => experts,
            Gating::SoftmaxOfChosen | Gating::Sigmoid | Gating::SigmoidNormalized => chosen,
        };
        Cost { flops: 3.0 * values, saved: values, traffic: values + chosen, ..Cost::default() }
    }

    /// The choice; what else it keeps is its own.
    fn keeps_input(&self, index: usize) -> bool {
        index == 1
    }

    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, _: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        Passage::Blocked("through the weights of experts, which are not linear in it".to_owned())
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [logits, chosen] = super::operands(inputs);
        let weights =
            logits.tokens().zip(chosen.tokens()).flat_map(|(logits, chosen)| self.weights(logits, chosen));
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
        let mut of_logits = Tensor::zeros(&logits.shape);
        let tokens = logits.tokens().zip(chosen.tokens()).zip(output.tokens().zip(gradient.tokens()));
        for (of_logits, ((logits, chosen), (weights, g))) in of_logits.tokens_mut().zip(tokens) {
            // With weights w = s / Σs: ∂w_i = w_i (∂ log s_i − Σ_j w_j ∂ log s_j).
            let mean: f64 = weights.iter().zip(g).map(|(w, g)| w * g).sum();
            let mut add = |expert: usize, term: f64| {
                if let Some(sum) = of_logits.get_mut(expert) {
                    *sum += term;
                }
            };
            if self.gating == Gating::Softmax {
                for (expert, probability) in softmax(logits).into_iter().enumerate() {
                    add(expert, -mean * probability);
                }
            }
            for ((&expert, w), g) in chosen.iter().zip(weights).zip(g) {
                let expert = expert as usize;
                let logit = logits.get(expert).copied().unwrap_or(f64::NAN);
                let term = match self.gating {
                    Gating::Softmax => w * g,
                    Gating::SoftmaxOfChosen => w * (g - mean),
                    Gating::Sigmoid => w * (1.0 - sigmoid(logit)) * g,
                    Gating::SigmoidNormalized => w * (1.0 - sigmoid(logit)) * (g - mean),
                };
                add(expert, term);
            }
        }
        vec![Some(of_logits), None]
    }
}

impl Route {
    /// The weights of one token's experts.
    fn weights(self, logits: &[f64], chosen: &[f64]) -> Vec<f64> {
        let pick = |values: &[f64]| -> Vec<f64> {
            chosen.iter().map(|&expert| values.get(expert as usize).copied().unwrap_or(f64::NAN)).collect()
        };
        match self.gating {
            Gating::Softmax => pick(&softmax(logits)),
            Gating::SoftmaxOfChosen => softmax(&pick(logits)),
            Gating::Sigmoid => pick(logits).into_iter().map(sigmoid).collect(),
            Gating::SigmoidNormalized => {
                let scores: Vec<f64> = pick(logits).into_iter().map(sigmoid).collect();
                let sum: f64 = scores.iter().sum();
                scores.into_iter().map(|score| score / sum).collect()
            }
        }
    }
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exps: Vec<f64> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f64 = exps.iter().sum();
    exps.into_iter().map(|exp| exp / sum).collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::{self, Trial};

    const ALL: [Gating; 4] =
        [Gating::Softmax, Gating::SoftmaxOfChosen, Gating::Sigmoid, Gating::SigmoidNormalized];

    #[test]
    fn derivative_in_every_gating() {
        for gating in ALL {
            let inputs = [trial::random_activation(&[5], 1), trial::random_choice(5, 3)];
            Trial::new().check_at(&Route { gating }, &inputs);
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
        for (gating, expected) in ALL.into_iter().zip(expected) {
            let found = Trial::new().eval(&Route { gating }, &[logits.clone(), chosen.clone()]);
            for (found, expected) in found.data.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-12, "{gating:?}: {found} against {expected}");
            }
        }
    }
}
