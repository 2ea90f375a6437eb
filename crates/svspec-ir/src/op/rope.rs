//! Rotary position embedding (RoFormer, arXiv 2104.09864): a pair of channels turns with the position.

mod angles;

pub use angles::{Angles, Llama3, LongRope, RampEnds, Scaling, Yarn};

use super::memory::F32;
use super::{Attribute, Cost, Kept, Operation, Passage, Reading, Work};
use crate::eval::{Environment, Gradients, Tensor};
use crate::print::number::{rounded, shortest};
use crate::{Dim, Dims, Model, PerLayer, dim};
use serde::Serialize;

/// Rotates pair `i` of the last dimension by `t · frequency_i`, `t` the position from 0, and multiplies it with the
/// angles' magnitude; channels from `rotary_dim` on are left alone. Input and output: `[heads, head_dim]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rope {
    /// How fast each pair turns, and how many channels rotate: at most `head_dim`.
    pub angles: Angles,
    /// Which two channels are a pair.
    pub layout: Layout,
}

/// Which two channels turn together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// `i` and `i + rotary_dim / 2`: GPT-NeoX, and Llama as Hugging Face ships it.
    Half,
    /// `2i` and `2i + 1`: GPT-J, Cohere, GLM.
    Interleaved,
}

impl Layout {
    /// That of the setting's word.
    pub fn of_word(word: &str) -> Self {
        if word == "interleaved" { Self::Interleaved } else { Self::Half }
    }
}

impl Operation for Rope {
    fn name(&self) -> &'static str {
        "rope"
    }

    fn reading(&self, _: &Model) -> Reading {
        Reading::Other("a rotary embedding")
    }

    fn is_step(&self) -> bool {
        true
    }

    fn attributes(&self, dims: &[Dim]) -> Vec<Attribute> {
        let Angles { rotary_dim, ref scaling, .. } = self.angles;
        let mut attributes = vec![("theta", shortest(self.angles.theta.at(None)))];
        if dims.last().is_none_or(|dim| dim.size != rotary_dim) {
            attributes.push(("rotary_dim", rotary_dim.to_string()));
        }
        match self.layout {
            Layout::Half => {}
            Layout::Interleaved => attributes.push(("layout", "interleaved".to_owned())),
        }
        match scaling {
            Scaling::Unscaled => {}
            Scaling::Linear { factor } => {
                attributes.push(("linear", format!("factor {}", shortest(*factor))));
            }
            Scaling::Llama3(llama3) => {
                let [factor, low, high] =
                    [llama3.factor, llama3.low_freq_factor, llama3.high_freq_factor].map(shortest);
                let context = llama3.original_context;
                attributes.push((
                    "llama3",
                    format!(
                        "factor {factor} low_freq_factor {low} high_freq_factor {high} original_context {context}"
                    ),
                ));
            }
            Scaling::Yarn(yarn) => {
                let [factor, fast, slow] = [yarn.factor, yarn.beta_fast, yarn.beta_slow].map(shortest);
                let (context, attention_factor) = (yarn.original_context, rounded(yarn.attention_factor));
                let truncate = match yarn.ends {
                    RampEnds::Whole => "",
                    RampEnds::Exact => " truncate off",
                };
                attributes.push((
                    "yarn",
                    format!(
                        "factor {factor} beta_fast {fast} beta_slow {slow} original_context {context} \
                         attention_factor {attention_factor}{truncate}"
                    ),
                ));
            }
            Scaling::LongRope(long) => {
                let factors: Vec<String> = long.factors.iter().copied().map(shortest).collect();
                let attention_factor = rounded(long.attention_factor);
                attributes.push((
                    "longrope",
                    format!("factors ({}) attention_factor {attention_factor}", factors.join(" ")),
                ));
            }
        }
        attributes
    }

    fn per_layer_mut(&mut self) -> Vec<&mut PerLayer> {
        vec![&mut self.angles.theta]
    }

    fn infer(&self, _: &Model, inputs: &[&[Dim]]) -> Result<Dims, String> {
        let [x] = super::arity(inputs)?;
        let head_dim = x.last().map_or(0, |dim| dim.size);
        let rotary_dim = self.angles.rotary_dim;
        if let Scaling::LongRope(LongRope { factors, .. }) = &self.angles.scaling
            && factors.len() != rotary_dim / 2
        {
            return Err(format!("{} factors for {} frequencies", factors.len(), rotary_dim / 2));
        }
        if rotary_dim.is_multiple_of(2) && rotary_dim <= head_dim {
            return Ok(x.to_vec());
        }
        Err(format!("{rotary_dim} channels cannot rotate in pairs within {}", dim::show(x)))
    }

    /// Three operations per value that rotates; the tables of cosines and sines are shared and small.
    fn cost(&self, _: &Model, _: &[&[Dim]], output: &[Dim]) -> Cost {
        let values = dim::num_elements(output) as f64;
        let head_dim = output.last().map_or(1, |dim| dim.size) as f64;
        Cost {
            flops: 3.0 * values * self.angles.rotary_dim as f64 / head_dim,
            traffic: 2.0 * values,
            ..Cost::default()
        }
    }

    fn keeps_input(&self, _: usize) -> bool {
        false
    }

    fn mixes_tokens(&self) -> bool {
        true
    }

    fn keeps(&self, work: &Work<'_>, kept: &mut Kept) {
        // Both sides of each pair, turned: four products and their two sums; backward one gradient for each side.
        kept.forward = 3 * F32 * work.in_entries;
        kept.backward = 2 * F32 * work.in_entries;
    }

    fn is_linear_in(&self, _: usize) -> bool {
        true
    }

    fn pass_scale(&self, _: &Model, _: usize, channels: &[Option<usize>], inputs: &[&[Dim]]) -> Passage {
        let head_dim = inputs.first().and_then(|x| x.last()).map_or(1, |dim| dim.size).max(1);
        let num_pairs = self.angles.rotary_dim / 2;
        let differs =
            |head: &[Option<usize>], (first, second): (usize, usize)| head.get(first) != head.get(second);
        let mut heads = channels.chunks(head_dim);
        let mixed = heads
            .find_map(|head| (0..num_pairs).map(|pair| self.pair(pair)).find(|&pair| differs(head, pair)));
        match mixed {
            None => Passage::Through(channels.to_vec()),
            Some((first, second)) => Passage::Blocked(format!(
                "through `rope`, which mixes channels {first} and {second} of a head: only a γ that is equal within \
                 each of its {num_pairs} pairs does"
            )),
        }
    }

    fn eval(&self, env: &Environment<'_>, inputs: &[&Tensor]) -> Tensor {
        let [x] = super::operands(inputs);
        self.rotate(x, env.layer, 1.0)
    }

    /// The transpose of a rotation turns the other way.
    fn vjp(
        &self,
        env: &Environment<'_>,
        _: &[&Tensor],
        _: &Tensor,
        gradient: &Tensor,
        _: &mut Gradients,
    ) -> Vec<Option<Tensor>> {
        vec![Some(self.rotate(gradient, env.layer, -1.0))]
    }
}

impl Rope {
    /// The two channels of pair `index`.
    fn pair(&self, index: usize) -> (usize, usize) {
        match self.layout {
            Layout::Half => (index, index + self.angles.rotary_dim / 2),
            Layout::Interleaved => (2 * index, 2 * index + 1),
        }
    }

    fn rotate(&self, x: &Tensor, layer: Option<usize>, sign: f64) -> Tensor {
        let num_positions = x.shape.get(1).copied().unwrap_or(1).max(1);
        let head_dim = x.shape.last().copied().unwrap_or(1).max(1);
        let (frequencies, magnitude) = (self.angles.frequencies(layer), self.angles.magnitude());
        let mut y = x.clone();
        for (index, token) in y.tokens_mut().enumerate() {
            let position = (index % num_positions) as f64;
            for head in token.chunks_exact_mut(head_dim) {
                for (pair, frequency) in frequencies.iter().enumerate() {
                    let (sin, cos) = (sign * position * frequency).sin_cos();
                    let (sin, cos) = (magnitude * sin, magnitude * cos);
                    let (first, second) = self.pair(pair);
                    let (Some(&a), Some(&b)) = (head.get(first), head.get(second)) else { continue };
                    for (channel, turned) in [(first, a * cos - b * sin), (second, b * cos + a * sin)] {
                        if let Some(value) = head.get_mut(channel) {
                            *value = turned;
                        }
                    }
                }
            }
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::trial::{Trial, entries};

    const ROPE: Rope = Rope {
        angles: Angles { theta: PerLayer::Uniform(100.0), rotary_dim: 4, scaling: Scaling::Unscaled },
        layout: Layout::Half,
    };
    const INTERLEAVED: Rope = Rope { layout: Layout::Interleaved, ..ROPE };
    const YARN: Yarn = Yarn {
        factor: 4.0,
        beta_fast: 32.0,
        beta_slow: 1.0,
        original_context: 256,
        attention_factor: 1.5,
        ends: RampEnds::Whole,
    };

    #[test]
    fn each_frequency_has_a_factor() {
        let scaling = |factors: &[f64]| {
            Scaling::LongRope(LongRope { factors: factors.to_vec(), attention_factor: 1.5 })
        };
        let rope = |factors| Rope { angles: Angles { scaling: scaling(factors), ..ROPE.angles }, ..ROPE };
        let two = rope(&[2.0, 5.0]);
        assert_eq!(two.angles.frequencies(None), [0.5, 0.02]);
        Trial::new().check(&two, &[&[2, 6]]);
        let dims = [Dim::new("heads", 1), Dim::new("head_dim", 4)];
        assert!(rope(&[2.0]).infer(&Trial::new().model(), &[&dims]).is_err());
    }

    #[test]
    fn derivative_of_a_full_and_of_a_partial_rotation() {
        let stretched = Rope { angles: Angles { scaling: Scaling::Yarn(YARN), ..ROPE.angles }, ..ROPE };
        for rope in [ROPE, INTERLEAVED, stretched] {
            Trial::new().check(&rope, &[&[2, 4]]);
            Trial::new().check(&rope, &[&[2, 6]]);
        }
    }

    #[test]
    fn position_one_turns_the_first_pair_by_one_radian() {
        let (sin, cos) = 1_f64.sin_cos();
        for (rope, turned) in [(ROPE, [cos, 0.0, sin, 0.0]), (INTERLEAVED, [cos, sin, 0.0, 0.0])] {
            let x = Tensor::new(vec![1, 2, 1, 4], vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
            let y = Trial::new().eval(&rope, &[x]);
            assert_eq!(y.data, [&[1.0, 0.0, 0.0, 0.0][..], &turned].concat());
        }
    }

    #[test]
    fn a_scale_passes_if_it_is_equal_in_each_rotary_pair() {
        let dims = [Dim::new("heads", 1), Dim::new("head_dim", 5)];
        let pass = |rope: &Rope, channels: &[usize]| {
            rope.pass_scale(&Trial::new().model(), 0, &entries(channels), &[&dims])
        };
        assert_eq!(pass(&ROPE, &[0, 1, 0, 1, 2]), Passage::Through(entries(&[0, 1, 0, 1, 2])));
        assert_eq!(pass(&INTERLEAVED, &[0, 0, 1, 1, 2]), Passage::Through(entries(&[0, 0, 1, 1, 2])));
        for (rope, channels) in [(&ROPE, [0, 0, 1, 1, 2]), (&INTERLEAVED, [0, 1, 0, 1, 2])] {
            let Passage::Blocked(reason) = pass(rope, &channels) else { panic!("a rotation mixes channels") };
            let (first, second) = rope.pair(0);
            let pair = format!("channels {first} and {second} of a head");
            assert!(reason.contains(&pair) && reason.contains("its 2 pairs"), "{reason}");
        }
    }

    #[test]
    fn scaled_frequencies_are_those_of_transformers() {
        // Printed by the `_compute_*_parameters` of transformers 5.23, in f64.
        let llama3 =
            Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_context: 256 };
        let exact = Yarn { beta_fast: 16.0, beta_slow: 2.0, ends: RampEnds::Exact, ..YARN };
        let cases = [
            (
                Scaling::Linear { factor: 4.0 },
                [0.25, 0.079_056_941_504_209_49, 0.025, 0.007_905_694_150_420_948],
            ),
            (Scaling::Llama3(llama3), [1.0, 0.316_227_766_016_837_94, 0.1, 0.006_613_106_317_247_552_6]),
            (Scaling::Yarn(YARN), [1.0, 0.256_935_059_888_680_8, 0.0625, 0.013_834_964_763_236_66]),
            (
                Scaling::Yarn(exact),
                [1.0, 0.291_525_620_087_994_8, 0.050_664_394_391_007_964, 0.007_905_694_150_420_948],
            ),
        ];
        for (scaling, first_four) in cases {
            let (theta, rotary_dim) =
                if matches!(scaling, Scaling::Linear { .. }) { (100.0, 8) } else { (10_000.0, 16) };
            let found = Angles { theta: PerLayer::Uniform(theta), rotary_dim, scaling: scaling.clone() }
                .frequencies(None);
            assert_eq!(found.len(), rotary_dim / 2);
            for (found, expected) in found.iter().zip(first_four) {
                assert!((found / expected - 1.0).abs() < 1e-13, "{scaling:?}: {found} is not {expected}");
            }
        }
    }
}
