//! A spec without a model: a parameter group for each setting of an optimizer.

use crate::hand::Size;
use crate::tiny::Tiny;
use svspec_runtime::spec::{
    Algorithm, GroupRow, Init, Layers, Matrices, MatrixRow, Muon, MuonScale, ParamRow, Schedule, Spec,
    Training,
};

const MUON: Algorithm =
    Algorithm::Muon(Muon { momentum: 0.95, nesterov: true, ns_steps: 5, scale: MuonScale::Rms(0.2) });
const HEADS: Algorithm =
    Algorithm::Muon(Muon { momentum: 0.9, nesterov: false, ns_steps: 5, scale: MuonScale::SqrtRatio });

const fn group(algorithm: Algorithm, lr: f64, weight_decay: f64, clipped: bool) -> GroupRow {
    GroupRow { name: "", algorithm, lr, weight_decay, clipped, rule: "" }
}

const fn param(path: &'static str, shape: &'static [i64], group: usize) -> ParamRow {
    ParamRow { path, layers: Layers::Outside, shape, group, init: Init::Normal(0.3) }
}

const fn matrices(path: &'static str, stacked: Option<i64>, num_out: usize) -> MatrixRow {
    MatrixRow { path, layers: Layers::Outside, matrices: Matrices { stacked, num_out } }
}

pub static SPEC: Spec = Spec {
    name: "settings",
    hash: "",
    vocab: 1,
    context: 1,
    num_layers: 0,
    document_end: None,
    params: &[
        param("adamw.matrix", &[5, 4], 0),
        param("adamw.vector", &[7], 0),
        param("betas.table", &[4, 3], 1),
        param("muon.wide", &[6, 15], 2),
        param("muon.tall", &[15, 6], 2),
        param("muon.q", &[2, 3, 8], 2),
        param("heads.q", &[2, 3, 8], 3),
        param("heads.o", &[8, 2, 3], 3),
        param("experts.up", &[3, 4, 7], 4),
        param("sgd.plain", &[6], 5),
        param("sgd.heavy", &[6], 6),
        param("sgd.nesterov", &[6], 7),
    ],
    groups: &[
        group(Algorithm::AdamW { betas: (0.9, 0.95), eps: 1e-8 }, 1e-2, 0.1, true),
        group(Algorithm::AdamW { betas: (0.8, 0.99), eps: 1e-6 }, 5e-3, 0.0, false),
        group(MUON, 1e-2, 0.1, true),
        group(HEADS, 2e-2, 0.0, true),
        group(MUON, 5e-3, 0.2, false),
        group(Algorithm::Sgd { momentum: 0.0, nesterov: false }, 1e-1, 0.1, true),
        group(Algorithm::Sgd { momentum: 0.9, nesterov: false }, 5e-2, 0.0, true),
        group(Algorithm::Sgd { momentum: 0.8, nesterov: true }, 5e-2, 0.3, false),
    ],
    matrices: &[
        matrices("muon.q", None, 2),
        matrices("heads.q", Some(0), 1),
        matrices("heads.o", Some(1), 1),
        matrices("experts.up", Some(0), 1),
    ],
    units: &[],
    scales: &[],
    training: Training {
        steps: 50,
        batch: 1,
        micro_batch: 1,
        schedule: Schedule::Constant { warmup: 0 },
        ..Tiny::TRAINING
    },
    flops_per_token: 0.0,
};

/// How far an entry of a group's tensor may be, after steps with these factors on the rate, from what exact arithmetic
/// gives; `exact` is for groups without bf16.
///
/// Muon's matrices are rounded to bf16, eight bits, after each of the fifteen products of an update. PyTorch's own are then
/// off by up to 10 % of the update's root mean square in an entry, in these shapes (`f32` against `f64` in
/// `pytorch.safetensors`); from step to step the errors go either way, so that their squares add up. A scale off by 5 %, a momentum by 0.02 or an
/// iteration less is more than twice as far off.
pub fn tolerance(group: &GroupRow, shape: [i64; 2], factors: &[f64], exact: f64) -> f64 {
    match group.algorithm {
        Algorithm::AdamW { .. } | Algorithm::Sgd { .. } | Algorithm::Load => exact,
        Algorithm::Muon(muon) => {
            let [out, num_in] = shape;
            let root_mean_square = muon.scale.factor(out, num_in) / (out.max(num_in) as f64).sqrt();
            let squares: f64 = factors.iter().map(|factor| (group.lr * factor).powi(2)).sum();
            0.15 * root_mean_square * squares.sqrt()
        }
    }
}

/// The outputs and inputs of the matrices of a tensor of this shape, or `[1, 1]` of a vector.
pub fn matrix_shape(shape: &[i64], matrices: Matrices) -> [i64; 2] {
    let axes = shape.iter().enumerate().filter(|(axis, _)| Some(*axis as i64) != matrices.stacked);
    let sizes: Vec<i64> = axes.map(|(_, &size)| size).collect();
    let num_out = matrices.num_out.min(sizes.len());
    [sizes[..num_out].iter().product(), sizes[num_out..].iter().product()]
}
