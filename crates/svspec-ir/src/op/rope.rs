//! Rotary position embedding (RoFormer, arXiv 2104.09864), in the half-split layout of Llama as Hugging Face ships it.

use super::{Cost, Operation, Passage};
use crate::eval::{Environment, Gradients, Tensor};
use crate::{Dim, Dims, Model, dim};
use serde::Serialize;

/// Rotates pairs `(i, i + rotary_dim/2)` of the last dimension by `t · theta^(−2i/rotary_dim)`, `t` the position from
/// 0; channels from `rotary_dim` on are left alone. Input and output: `[heads, head_dim]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rope {
    /// The base.
    pub theta: f64,
    /// How many channels rotate; even, at most `head_dim`.
    pub rotary_dim: usize,
}

impl Operation for Rope {
    fn name(&self) -> &'static str {
        "rope"
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x] = super::arity(inputs)?;
        let head_dim = x.last().map_or(0, |dim| dim.size);
        if self.rotary_dim.is_multiple_of(2) && self.rotary_dim <= head_dim {
            return Ok(x.to_vec());
        }
        Err(format!("{} channels cannot rotate in pairs within {}", self.rotary_dim, dim::show(x)))
    }

    /// Three operations per value that rotates; the tables of cosines and sines are shared and small.
    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = dim::num_elements(output) as f64;
        let head_dim = output.last().map_or(1, |dim| dim.size) as f64;
        Cost {
            flops: 3.0 * values * self.rotary_dim as f64 / head_dim,
            traffic: 2.0 * values,
            ..Cost::default()
        }
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    fn is_linear_in(&self, _: usize) -> bool {
        true
    }

    fn pass_scale(&self, _: &Model, _: usize, channels: &[usize], inputs: &[&[Dim]]) -> Passage {
        let head_dim = inputs.first().and_then(|x| x.last()).map_or(1, |dim| dim.size).max(1);
        let half = self.rotary_dim / 2;
        let equal_in_pairs = channels.chunks(head_dim).all(|head| {
            let second = head.iter().skip(half);
            head.iter().take(half).zip(second).all(|(first, second)| first == second)
        });
        if equal_in_pairs {
            return Passage::Through(channels.to_vec());
        }
        Passage::Blocked("through `rope`, which mixes the two channels of a rotary pair".to_owned())
    }

    fn eval(&self, _: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x] = super::operands(inputs);
        self.rotate(x, 1.0)
    }

    /// The transpose of a rotation turns the other way.
    fn vjp(
        &self,
        _: &Environment<'_>,
        _: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        vec![Some(self.rotate(gradient, -1.0))]
    }
}

impl Rope {
    fn rotate(&self, x: &Tensor, sign: f64) -> Tensor {
        let num_positions = x.shape.get(1).copied().unwrap_or(1).max(1);
        let head_dim = x.shape.last().copied().unwrap_or(1).max(1);
        let half = self.rotary_dim / 2;
        let mut y = x.clone();
        for (index, token) in y.tokens_mut().enumerate() {
            let position = (index % num_positions) as f64;
            for head in token.chunks_exact_mut(head_dim) {
                let Some((first, rest)) = head.split_at_mut_checked(half) else { continue };
                for (pair, (a, b)) in first.iter_mut().zip(rest).enumerate() {
                    let frequency = self.theta.powf(-2.0 * pair as f64 / self.rotary_dim as f64);
                    let (sin, cos) = (sign * position * frequency).sin_cos();
                    (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                }
            }
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::Trial;

    const ROPE: Rope = Rope { theta: 100.0, rotary_dim: 4 };

    #[test]
    fn derivative_of_a_full_and_of_a_partial_rotation() {
        Trial::new().check(&ROPE, &[&[2, 4]]);
        Trial::new().check(&ROPE, &[&[2, 6]]);
    }

    #[test]
    fn position_one_turns_the_first_pair_by_one_radian() {
        let x = Tensor::new(vec![1, 2, 1, 4], vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        let y = Trial::new().eval(&ROPE, &[x]);
        assert_eq!(y.data, [1.0, 0.0, 0.0, 0.0, 1_f64.cos(), 0.0, 1_f64.sin(), 0.0]);
    }

    #[test]
    fn a_scale_passes_if_it_is_equal_in_each_rotary_pair() {
        let dims = [Dim::new("heads", 1), Dim::new("head_dim", 5)];
        let pass = |channels: &[usize]| ROPE.pass_scale(&Trial::new().model(), 0, channels, &[&dims]);
        assert_eq!(pass(&[0, 1, 0, 1, 2]), Passage::Through(vec![0, 1, 0, 1, 2]));
        let Passage::Blocked(reason) = pass(&[0, 1, 2, 3, 4]) else { panic!("a rotation mixes channels") };
        assert_eq!(reason, "through `rope`, which mixes the two channels of a rotary pair");
    }
}
