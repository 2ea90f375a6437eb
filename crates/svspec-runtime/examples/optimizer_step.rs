//! How long clipping and an optimizer's step take: the median of so many, in milliseconds, on the tensors of a small GPT.
//!
//! `optimizer_step adamw|muon STEPS`; `cargo xtask bench` compares it with PyTorch's.
#![expect(clippy::print_stdout, reason = "the figure")]

#[path = "shared/training.rs"]
mod training;

use std::time::Instant;
use svspec_runtime::schedule::Factors;
use svspec_runtime::spec::{Algorithm, GroupRow, Init, Layers, Muon, MuonScale, ParamRow, Spec};
use svspec_runtime::{Optimizer, Params, device};
use tch::{Device, Tensor};
use training::TRAINING;

const VOCAB: i64 = 8192;
const WIDTH: i64 = 256;
const LAYERS: Layers = Layers::Range(0, 10);

const ADAMW: Algorithm = Algorithm::AdamW { betas: (0.9, 0.95), eps: 1e-8 };
const MUON: Algorithm =
    Algorithm::Muon(Muon { momentum: 0.95, nesterov: true, ns_steps: 5, scale: MuonScale::Rms(0.2) });

const fn group(algorithm: Algorithm) -> GroupRow {
    GroupRow { name: "", algorithm, lr: 1e-3, weight_decay: 0.1, clipped: true, rule: "" }
}

const fn param(path: &'static str, layers: Layers, shape: &'static [i64], group: usize) -> ParamRow {
    ParamRow { path, layers, shape, group, init: Init::Normal(0.02) }
}

const PARAMS: &[ParamRow] = &[
    param("tokens", Layers::Outside, &[VOCAB, WIDTH], 0),
    param("positions", Layers::Outside, &[WIDTH, WIDTH], 0),
    param("attn_norm", LAYERS, &[WIDTH], 0),
    param("qkv", LAYERS, &[3 * WIDTH, WIDTH], 1),
    param("o", LAYERS, &[WIDTH, WIDTH], 1),
    param("mlp_norm", LAYERS, &[WIDTH], 0),
    param("up", LAYERS, &[4 * WIDTH, WIDTH], 1),
    param("down", LAYERS, &[WIDTH, 4 * WIDTH], 1),
    param("final_norm", Layers::Outside, &[WIDTH], 0),
];

const fn spec(groups: &'static [GroupRow]) -> Spec {
    Spec {
        name: "step",
        hash: "",
        vocab: VOCAB,
        context: WIDTH,
        num_layers: 10,
        document_end: None,
        params: PARAMS,
        groups,
        matrices: &[],
        units: &[],
        scales: &[],
        training: TRAINING,
        flops_per_token: 0.0,
    }
}

static ALL_ADAMW: Spec = spec(&[group(ADAMW), group(ADAMW)]);
static WITH_MUON: Spec = spec(&[group(ADAMW), group(MUON)]);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    device::prepare(Device::Cpu)?;
    let mut arguments = std::env::args().skip(1);
    let spec = match arguments.next().as_deref() {
        Some("adamw") => &ALL_ADAMW,
        Some("muon") => &WITH_MUON,
        _ => return Err("usage: optimizer_step adamw|muon STEPS".into()),
    };
    let steps: usize = arguments.next().ok_or("how many steps?")?.parse()?;
    let params = Params::init(spec, 0, Device::Cpu);
    let mut optimizer = Optimizer::new(spec, &params);
    let mut times = Vec::new();
    // The first steps touch memory for the first time.
    for step in 0..steps + 3 {
        let gradients: Vec<Tensor> =
            params.iter().map(|param| param.tensor.detach().randn_like() * 0.01).collect();
        let began = Instant::now();
        let norm = optimizer.step(&gradients, Factors::PEAK)?;
        if norm.double_value(&[]).is_nan() {
            return Err("the norm is not a number".into());
        }
        if step >= 3 {
            times.push(began.elapsed().as_secs_f64() * 1e3);
        }
    }
    times.sort_by(f64::total_cmp);
    println!("{}", times.get(times.len() / 2).copied().unwrap_or_default());
    Ok(())
}
