//! Rotary frequencies in; frequencies for a context longer than the one they were trained on, out.

use std::f64::consts::TAU;
use tch::{Kind, Tensor};

/// How frequencies are stretched.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are the spec's settings, under the same names")]
pub enum RopeScaling {
    /// Every frequency is divided by `factor` (arXiv 2306.15595).
    Linear { factor: f64 },
    /// Frequencies with fewer turns in the original context than `low_freq_factor` are divided by `factor`, those with
    /// more than `high_freq_factor` are kept, those between blended (Llama 3.1).
    Llama3 { factor: f64, low_freq_factor: f64, high_freq_factor: f64, original_context: i64 },
    /// YaRN (arXiv 2309.00071): a ramp over pairs from `beta_fast` turns (kept) to `beta_slow` (divided by `factor`).
    Yarn {
        factor: f64,
        beta_fast: f64,
        beta_slow: f64,
        original_context: i64,
        attention_factor: f64,
        ends: RampEnds,
    },
    /// Each frequency is divided by a number of its own (LongRoPE, arXiv 2402.13753).
    LongRope { factors: &'static [f64], attention_factor: f64 },
}

/// Where YaRN's ramp begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RampEnds {
    /// At whole pairs, outwards.
    Whole,
    /// Between two pairs too.
    Exact,
}

impl RopeScaling {
    /// The stretched frequencies, in f64; `theta` is the base that they were made with.
    pub(super) fn apply(&self, frequency_k: &Tensor, theta: f64) -> Tensor {
        match *self {
            Self::Linear { factor } => frequency_k / factor,
            Self::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
                let turns_k = frequency_k * (original_context as f64 / TAU);
                let kept_k = (turns_k - low_freq_factor) / (high_freq_factor - low_freq_factor);
                blend(frequency_k, factor, &kept_k.clamp(0.0, 1.0))
            }
            Self::Yarn { factor, beta_fast, beta_slow, original_context, ends, .. } => {
                let num_pairs = frequency_k.size1().unwrap_or(0);
                let rotary_dim = 2.0 * num_pairs as f64;
                let pair_with = |turns: f64| {
                    rotary_dim * (original_context as f64 / (turns * TAU)).ln() / (2.0 * theta.ln())
                };
                let (first, last) = match ends {
                    RampEnds::Whole => (pair_with(beta_fast).floor(), pair_with(beta_slow).ceil()),
                    RampEnds::Exact => (pair_with(beta_fast), pair_with(beta_slow)),
                };
                let (first, last) = (first.max(0.0), last.min(rotary_dim - 1.0));
                let length = last - first;
                let length = if length.abs() > 0.0 { length } else { 0.001 };
                let pair_k = Tensor::arange(num_pairs, (Kind::Double, frequency_k.device()));
                let divided_k = ((pair_k - first) / length).clamp(0.0, 1.0);
                blend(frequency_k, factor, &(1.0 - divided_k))
            }
            Self::LongRope { factors, .. } => {
                frequency_k / Tensor::from_slice(factors).to_device(frequency_k.device())
            }
        }
    }

    /// What cosines and sines are multiplied with.
    pub(super) fn magnitude(&self) -> f64 {
        match *self {
            Self::Linear { .. } | Self::Llama3 { .. } => 1.0,
            Self::Yarn { attention_factor, .. } | Self::LongRope { attention_factor, .. } => attention_factor,
        }
    }
}

/// Each frequency kept to the share `kept_k`, the rest of it divided by `factor`.
fn blend(frequency_k: &Tensor, factor: f64, kept_k: &Tensor) -> Tensor {
    frequency_k / factor * (1.0 - kept_k) + frequency_k * kept_k
}
