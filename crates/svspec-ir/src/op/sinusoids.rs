//! Sines and cosines of the position, fixed: the positions of the first Transformer (arXiv 1706.03762, section 3.5).

use super::rope::Layout;
use super::{Attribute, Cost, Kept, Operation, Passage, Reading, ResultKind, Work};
use crate::eval::{Documents, Environment, Gradients, Tensor};
use crate::print::number::shortest;
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// Pair `i` of the `width` channels holds `sin` and `cos` of `(t + offset) · theta^(−2i / width)`, the same in every
/// sequence; input: tokens, of which only the number counts; output `[width]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sinusoids {
    /// The output's channels, an even number.
    pub width: Dim,
    /// The base.
    pub theta: f64,
    /// What the first position counts as.
    pub offset: usize,
    /// Which two channels are a pair.
    pub layout: Layout,
}

impl Operation for Sinusoids {
    fn name(&self) -> &'static str {
        "sinusoids"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("an input")
    }

    fn is_step(&self) -> bool {
        false
    }

    fn is_of_part(&self) -> bool {
        true
    }

    fn attributes(&self, _: &[Dim]) -> Vec<Attribute> {
        let mut attributes = vec![("theta", shortest(self.theta))];
        match self.layout {
            Layout::Half => attributes.push(("layout", "half".to_owned())),
            Layout::Interleaved => {}
        }
        if self.offset > 0 {
            attributes.push(("offset", self.offset.to_string()));
        }
        attributes
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [_] = super::arity(inputs)?;
        if self.width.size.is_multiple_of(2) {
            return Ok(vec![self.width.clone()]);
        }
        Err(format!("{} are no pairs of a sine and a cosine", dim::show(std::slice::from_ref(&self.width))))
    }

    /// A sine or a cosine of each channel, shared by all sequences of a batch.
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
        // One sequence's, seen by all.
        kept.forward = work.of_sequence();
    }

    fn is_linear_in(&self, _: usize) -> bool {
        false
    }

    fn pass_scale(&self, _: &Model, _: usize, _: &[Option<usize>], _: &[&[Dim]]) -> Passage {
        Passage::Blocked("through `sinusoids`, which reads only where a token stands".to_owned())
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [tokens] = super::operands(inputs);
        let documents = Documents::of(env, tokens);
        let row = |index: usize| self.row((documents.position(index) + self.offset) as f64);
        let data = (0..tokens.data.len()).flat_map(row).collect();
        Tensor::new(tokens.shape_with(&[self.width.size]), data)
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
}

impl Sinusoids {
    /// The channels at one position.
    fn row(&self, position: f64) -> Vec<f64> {
        let (width, num_pairs) = (self.width.size as f64, self.width.size / 2);
        let angle = |pair: usize| position * self.theta.powf(-2.0 * pair as f64 / width);
        match self.layout {
            Layout::Half => {
                let pairs = || (0..num_pairs).map(angle);
                pairs().map(f64::sin).chain(pairs().map(f64::cos)).collect()
            }
            Layout::Interleaved => {
                (0..num_pairs).map(angle).flat_map(|angle| [angle.sin(), angle.cos()]).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    fn of(layout: Layout, offset: usize) -> Sinusoids {
        Sinusoids { width: Dim::new("width", 4), theta: 100.0, offset, layout }
    }

    #[test]
    fn shapes_hold_and_nothing_is_learned() {
        Trial::new().check_on_tokens(&of(Layout::Half, 2));
    }

    #[test]
    fn each_pair_is_a_sine_and_a_cosine_of_the_position() {
        let tokens = Tensor::new(vec![1, 3], vec![7.0, 7.0, 7.0]);
        let values =
            |layout, offset| Trial::new().eval(&of(layout, offset), std::slice::from_ref(&tokens)).data;
        let interleaved = values(Layout::Interleaved, 0);
        assert_eq!(interleaved[..4], [0.0, 1.0, 0.0, 1.0]);
        let (second, tenth) = (2_f64.sin_cos(), 0.2_f64.sin_cos());
        assert_eq!(interleaved[8..], [second.0, second.1, tenth.0, tenth.1]);
        assert_eq!(values(Layout::Half, 2)[..4], [second.0, tenth.0, second.1, tenth.1]);
    }

    #[test]
    fn an_odd_width_has_no_pairs() {
        let odd = Sinusoids { width: Dim::new("width", 5), ..of(Layout::Half, 0) };
        assert!(odd.infer(&Trial::new().model(), &[&[]]).is_err());
    }
}
