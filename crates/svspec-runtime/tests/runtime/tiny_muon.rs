//! The tests' model with Muon on its matrices and SGD with momentum on its input scales.

use crate::hand::Size;
use crate::tiny::Tiny;
use svspec_runtime::spec::{Algorithm, Muon, MuonScale, Training};

pub struct TinyMuon;

impl Size for TinyMuon {
    const NAME: &'static str = "tiny_muon";
    const TRAINING: Training = Tiny::TRAINING;
    const ALGORITHMS: [Algorithm; 2] = [
        Algorithm::Muon(Muon { momentum: 0.95, nesterov: true, ns_steps: 5, scale: MuonScale::Rms(0.2) }),
        Algorithm::Sgd { momentum: 0.9, nesterov: true },
    ];
}
