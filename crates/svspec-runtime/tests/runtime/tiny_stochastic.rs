//! The tests' model in bf16 throughout, by each algorithm.

use crate::hand::Size;
use crate::tiny::Tiny;
use crate::tiny_muon::TinyMuon;
use svspec_runtime::spec::{Algorithm, Precision, Training};

/// By AdamW, its batch in two halves.
pub struct TinyStochastic;

impl Size for TinyStochastic {
    const NAME: &'static str = "tiny_stochastic";
    const TRAINING: Training =
        Training { precision: Precision::Bf16Stochastic, micro_batch: 4, ..Tiny::TRAINING };
}

/// By Muon and SGD.
pub struct TinyStochasticMuon;

impl Size for TinyStochasticMuon {
    const NAME: &'static str = "tiny_stochastic_muon";
    const TRAINING: Training = Training { precision: Precision::Bf16Stochastic, ..Tiny::TRAINING };
    const ALGORITHMS: [Algorithm; 2] = TinyMuon::ALGORITHMS;
}
