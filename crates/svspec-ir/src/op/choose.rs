//! The choice of experts: for each token those with the largest scores.

use super::route::Scores;
use super::{Attribute, Cost, Operation, Passage, Reading, ResultKind};
use crate::eval::{Environment, Gradients, Tensor};
use crate::print::number::shortest;
use crate::{Dim, Dims, Model, Op, ParamId, dim};
use serde::Serialize;

/// The name of the dimension that counts a token's chosen experts.
pub const CHOSEN: &str = "chosen";

/// The experts, as whole numbers from 0, with the `num_chosen` largest scores, the largest first; of equal ones the
/// first. Input: the router's logits `[experts]`, output `[chosen]`. The choice is constant in the derivative.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Choose {
    /// How many each token is given to.
    pub num_chosen: usize,
    /// What the scores are.
    pub scores: Scores,
    /// A vector `[experts]` that is added to the scores, or to the logits, for the choice alone, and moved by the load.
    pub correction: Option<Correction>,
    /// The experts are chosen within some groups of consecutive ones.
    pub groups: Option<Groups>,
}

/// Bias-based balancing (arXiv 2408.15664).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Correction {
    /// The vector.
    pub param: ParamId,
    /// What a step adds for an expert with less than its share of tokens, and takes away for one with more.
    pub rate: f64,
    /// Whether it is added to the logits, in place of the scores.
    pub on_logits: bool,
}

/// Choice limited to groups (arXiv 2405.04434, section 2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Groups {
    /// How many groups of equal size the experts form.
    pub count: usize,
    /// How many a token may choose from: those with the largest scores.
    pub num_chosen: usize,
    /// The score of a group is the sum of so many of its largest.
    pub num_summed: usize,
}

impl Operation for Choose {
    fn name(&self) -> &'static str {
        "choose"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("the choice of experts")
    }

    fn is_step(&self) -> bool {
        false
    }

    /// What the scores are matters only where they are not compared as they are.
    fn attributes(&self, _: &[Dim]) -> Vec<Attribute> {
        let mut attributes = Vec::new();
        let on_logits = self.correction.is_some_and(|correction| correction.on_logits);
        let on_scores = self.correction.is_some() || self.groups.is_some();
        if on_logits {
            attributes.push(("on", "logits".to_owned()));
        } else if self.scores == Scores::Sigmoid && on_scores {
            attributes.push(("scores", "sigmoid".to_owned()));
        }
        attributes.extend(self.correction.map(|correction| ("rate", shortest(correction.rate))));
        if let Some(groups) = self.groups {
            attributes.push(("groups", format!("{} of {}", groups.num_chosen, groups.count)));
            if groups.num_summed > 1 {
                attributes.push(("by", format!("their {} largest", groups.num_summed)));
            }
        }
        attributes
    }

    fn is_of_part(&self) -> bool {
        false
    }

    fn without_tensors(&self) -> Option<Op> {
        let correction = Correction { param: ParamId(0), ..self.correction? };
        Some(Op::Choose(Self { correction: Some(correction), ..*self }))
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [logits] = super::arity(inputs)?;
        let num_open = |experts: usize| {
            self.groups.map_or(experts, |groups| experts / groups.count.max(1) * groups.num_chosen)
        };
        match logits {
            [experts] if (1..=num_open(experts.size)).contains(&self.num_chosen) => {
                Ok(vec![Dim::new(CHOSEN, self.num_chosen)])
            }
            _ => Err(format!("it cannot choose {} of {}", self.num_chosen, dim::show(logits))),
        }
    }

    /// One comparison per expert and choice.
    fn cost(&self, _: &Model, inputs: &[&[Dim]], output: &[Dim]) -> Cost {
        let experts = inputs.first().map_or(0, |logits| dim::num_elements(logits)) as f64;
        let chosen = dim::num_elements(output) as f64;
        Cost { flops: experts * chosen, traffic: experts + chosen, ..Cost::default() }
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
        Passage::Blocked("through the choice of experts".to_owned())
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [logits] = super::operands(inputs);
        let correction = self.correction.map(|correction| env.value(correction.param));
        let mut data = Vec::new();
        for logits in logits.tokens() {
            let mut scores = if self.compares_scores() { self.scores.of(logits) } else { logits.to_vec() };
            if let Some(correction) = correction {
                scores.iter_mut().zip(&correction.data).for_each(|(score, correction)| *score += correction);
            }
            if let Some(groups) = self.groups {
                groups.close(&mut scores);
            }
            data.extend(largest(&scores, self.num_chosen).into_iter().map(|expert| expert as f64));
        }
        Tensor::new(logits.shape_with(&[self.num_chosen]), data)
    }

    fn vjp(
        &self,
        _: &Environment<'_>,
        _: &[&Tensor],
        _: &Tensor,
        _: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        vec![None]
    }

    fn params(&self) -> Vec<ParamId> {
        self.correction.map(|correction| correction.param).into_iter().collect()
    }
}

impl Choose {
    /// Whether scores are compared: not the logits, with which they rise, though two large ones may round to the same.
    pub fn compares_scores(self) -> bool {
        self.correction.map_or(self.groups.is_some(), |correction| !correction.on_logits)
    }
}

impl Groups {
    /// Takes the experts out of the choice whose group is not among the best.
    fn close(self, scores: &mut [f64]) {
        let size = (scores.len() / self.count.max(1)).max(1);
        let of_group = |scores: &[f64]| -> f64 {
            let best = largest(scores, self.num_summed);
            best.iter().filter_map(|&expert| scores.get(expert)).sum()
        };
        let of_groups: Vec<f64> = scores.chunks(size).map(of_group).collect();
        let open = largest(&of_groups, self.num_chosen);
        for (group, scores) in scores.chunks_mut(size).enumerate() {
            if !open.contains(&group) {
                scores.fill(f64::NEG_INFINITY);
            }
        }
    }
}

/// The places of the `count` largest entries, the largest first; of equal ones the first.
fn largest(scores: &[f64], count: usize) -> Vec<usize> {
    let mut order: Vec<(usize, f64)> = scores.iter().copied().enumerate().collect();
    // The sort is stable.
    order.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    order.into_iter().take(count).map(|(place, _)| place).collect()
}

/// The dimensions of a token's channels: without those of its chosen experts, for each of which it has a copy.
pub fn channel_dims(dims: &[Dim]) -> &[Dim] {
    match dims {
        [chosen, channels @ ..] if chosen.name == CHOSEN && !channels.is_empty() => channels,
        _ => dims,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    const TWO: Choose = Choose { num_chosen: 2, scores: Scores::Sigmoid, correction: None, groups: None };

    fn chosen(choose: &Choose, logits: &[f64]) -> Vec<f64> {
        Trial::new().eval(choose, &[Tensor::new(vec![1, 1, logits.len()], logits.to_vec())]).data
    }

    #[test]
    fn the_largest_come_first_and_of_equal_ones_the_first() {
        assert_eq!(chosen(&TWO, &[0.1, 3.0, -1.0, 0.2]), [1.0, 3.0]);
        assert_eq!(chosen(&TWO, &[5.0, 7.0, 5.0, 5.0]), [1.0, 0.0]);
    }

    #[test]
    fn no_more_than_there_are_can_be_chosen() {
        let fault = |choose: Choose| choose.infer(&Trial::new().model(), &[&[Dim::new("experts", 4)]]);
        let five = Choose { num_chosen: 5, ..TWO };
        assert_eq!(fault(five).unwrap_err(), "it cannot choose 5 of [experts 4]");
        let groups = Some(Groups { count: 4, num_chosen: 1, num_summed: 1 });
        assert_eq!(fault(Choose { groups, ..TWO }).unwrap_err(), "it cannot choose 2 of [experts 4]");
    }

    #[test]
    fn groups_are_chosen_by_their_largest_or_by_the_sum_of_their_two_largest() {
        let logits = [2.0, -3.0, 1.5, 1.4, 0.0, 0.1];
        let groups = |num_summed| Some(Groups { count: 3, num_chosen: 1, num_summed });
        assert_eq!(chosen(&Choose { groups: groups(1), ..TWO }, &logits), [0.0, 1.0]);
        assert_eq!(chosen(&Choose { groups: groups(2), ..TWO }, &logits), [2.0, 3.0]);
    }

    #[test]
    fn a_correction_is_added_to_the_scores_not_to_the_logits() {
        let mut trial = Trial::new();
        let param = trial.param("experts.correction", &[3], 0);
        let correction = Some(Correction { param, rate: 0.0, on_logits: false });
        let choose = Choose { num_chosen: 1, correction, ..TWO };
        let logits = [0.3, 0.2, -4.0];
        let scores = Scores::Sigmoid.of(&logits);
        let logits = Tensor::new(vec![1, 1, 3], logits.to_vec());
        let correction = trial.value(param);
        let sums: Vec<f64> = scores.iter().zip(&correction.data).map(|(score, c)| score + c).collect();
        assert_eq!(trial.eval(&choose, std::slice::from_ref(&logits)).data, [largest(&sums, 1)[0] as f64]);
        assert_ne!(largest(&sums, 1), largest(&scores, 1), "the trial's correction should change the choice");

        let on_logits = Correction { on_logits: true, param, rate: 0.0 };
        let sums: Vec<f64> = logits.data.iter().zip(&correction.data).map(|(logit, c)| logit + c).collect();
        let choose = Choose { correction: Some(on_logits), ..choose };
        assert_eq!(trial.eval(&choose, &[logits]).data, [largest(&sums, 1)[0] as f64]);
    }
}
