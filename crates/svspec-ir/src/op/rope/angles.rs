//! A base and a scaling in; how fast each rotary pair turns, and what its rotation is multiplied with, out.

use crate::PerLayer;
use serde::Serialize;
use std::f64::consts::TAU;

/// How far each pair of channels turns from one position to the next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Angles {
    /// The base.
    pub theta: PerLayer,
    /// How many channels rotate; even.
    pub rotary_dim: usize,
    /// What stretches the angles for contexts longer than those trained on.
    pub scaling: Scaling,
}

/// A stretching of the angles.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// None: pair `i` turns by `theta^(−2i / rotary_dim)`.
    Unscaled,
    /// Every frequency divided by one number (position interpolation, arXiv 2306.15595).
    Linear {
        /// The divisor.
        factor: f64,
    },
    /// Low frequencies divided, high ones kept, those between blended (Llama 3.1, arXiv 2407.21783).
    Llama3(Llama3),
    /// The same with a ramp over pairs, and the rotation multiplied by a number (YaRN, arXiv 2309.00071).
    Yarn(Yarn),
    /// Each frequency divided by a number of its own, and the rotation multiplied by one (LongRoPE, arXiv 2402.13753).
    LongRope(LongRope),
}

/// The numbers of Llama 3.1's scaling.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Llama3 {
    /// The divisor of low frequencies.
    pub factor: f64,
    /// Frequencies with fewer turns than this in the original context are low.
    pub low_freq_factor: f64,
    /// Frequencies with more turns than this in the original context are high.
    pub high_freq_factor: f64,
    /// The context before it was extended.
    pub original_context: usize,
}

/// The numbers of YaRN.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Yarn {
    /// The divisor of low frequencies.
    pub factor: f64,
    /// Pairs with at least so many turns in the original context are kept.
    pub beta_fast: f64,
    /// Pairs with at most so many turns in the original context are divided.
    pub beta_slow: f64,
    /// The context before it was extended.
    pub original_context: usize,
    /// Multiplies the rotated channels.
    pub attention_factor: f64,
    /// Where the ramp over pairs ends.
    pub ends: RampEnds,
}

/// The numbers of LongRoPE.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LongRope {
    /// The divisor of each pair's frequency.
    pub factors: Vec<f64>,
    /// Multiplies the rotated channels.
    pub attention_factor: f64,
}

/// Where YaRN's ramp begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RampEnds {
    /// At whole pairs, outwards.
    Whole,
    /// Exactly at the pairs that the turns say, between two pairs too.
    Exact,
}

impl Angles {
    /// Radians from one position to the next, for each pair, in a layer.
    pub fn frequencies(&self, layer: Option<usize>) -> Vec<f64> {
        let (theta, rotary_dim) = (self.theta.at(layer), self.rotary_dim as f64);
        let unscaled =
            (0..self.rotary_dim / 2).map(|pair| (pair, theta.powf(-2.0 * pair as f64 / rotary_dim)));
        unscaled
            .map(|(pair, frequency)| match &self.scaling {
                Scaling::Unscaled => frequency,
                Scaling::Linear { factor } => frequency / factor,
                Scaling::Llama3(llama3) => llama3.stretched(frequency),
                Scaling::Yarn(yarn) => {
                    let kept = 1.0 - yarn.ramp(pair as f64, theta, rotary_dim);
                    frequency / yarn.factor * (1.0 - kept) + frequency * kept
                }
                Scaling::LongRope(long) => frequency / long.factors.get(pair).copied().unwrap_or(1.0),
            })
            .collect()
    }

    /// What the rotated channels are multiplied with.
    pub fn magnitude(&self) -> f64 {
        match &self.scaling {
            Scaling::Unscaled | Scaling::Linear { .. } | Scaling::Llama3(_) => 1.0,
            Scaling::Yarn(yarn) => yarn.attention_factor,
            Scaling::LongRope(long) => long.attention_factor,
        }
    }
}

impl Llama3 {
    fn stretched(&self, frequency: f64) -> f64 {
        let turns = self.original_context as f64 * frequency / TAU;
        if turns < self.low_freq_factor {
            return frequency / self.factor;
        }
        if turns > self.high_freq_factor {
            return frequency;
        }
        let kept = (turns - self.low_freq_factor) / (self.high_freq_factor - self.low_freq_factor);
        (1.0 - kept) * frequency / self.factor + kept * frequency
    }
}

impl Yarn {
    /// 0 for pairs that are kept, 1 for those that are divided.
    fn ramp(&self, pair: f64, theta: f64, rotary_dim: f64) -> f64 {
        // The pair, as a real number, that makes so many turns in the original context.
        let pair_with = |turns: f64| {
            rotary_dim * (self.original_context as f64 / (turns * TAU)).ln() / (2.0 * theta.ln())
        };
        let (first, last) = (pair_with(self.beta_fast), pair_with(self.beta_slow));
        let (first, last) = match self.ends {
            RampEnds::Whole => (first.floor(), last.ceil()),
            RampEnds::Exact => (first, last),
        };
        let (first, last) = (first.max(0.0), last.min(rotary_dim - 1.0));
        let length = last - first;
        // A step where both ends are one pair.
        let length = if length.abs() > 0.0 { length } else { 0.001 };
        ((pair - first) / length).clamp(0.0, 1.0)
    }
}
