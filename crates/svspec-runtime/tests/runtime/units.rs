//! What is kept at norm 1: it is there at step 0, and a step ends there.

use crate::hand::{Hand, Size};
use crate::runs::turn;
use crate::tiny::Tiny;
use crate::tiny_unit::TinyUnit;
use svspec_runtime::params::Param;
use svspec_runtime::schedule::Factors;
use svspec_runtime::spec::{Precision, Training, UnitRow};
use svspec_runtime::{Model, Optimizer, Params};
use tch::{Device, Kind, Tensor};

/// The model in bf16 throughout.
struct InBf16;

impl Size for InBf16 {
    const NAME: &'static str = "in_bf16";
    const TRAINING: Training = Training { precision: Precision::Bf16Stochastic, ..Tiny::TRAINING };
    const UNITS: &'static [UnitRow] = TinyUnit::UNITS;
}

/// The entries of a matrix, row by row, over the norms of its rows, or of its columns.
fn divided(tensor: &Tensor, by_rows: bool) -> Vec<f64> {
    let (rows, columns) = tensor.size2().unwrap();
    let entries = Vec::<f64>::try_from(tensor.to_kind(Kind::Double).reshape([-1])).unwrap();
    let line = |index: usize| if by_rows { index / columns as usize } else { index % columns as usize };
    let mut squares = vec![0.0; if by_rows { rows } else { columns } as usize];
    for (index, entry) in entries.iter().enumerate() {
        squares[line(index)] += entry * entry;
    }
    entries.iter().enumerate().map(|(index, entry)| entry / squares[line(index)].sqrt()).collect()
}

/// By which of its lines the parameter is kept at norm 1.
fn by_rows(param: &Param) -> Option<bool> {
    match param.name.as_str() {
        "embed.weight" | "layers.0.attn.q.weight" | "layers.1.attn.q.weight" => Some(true),
        "layers.1.mlp.down.weight" => Some(false),
        _ => None,
    }
}

fn difference(tensor: &Tensor, expected: &[f64]) -> f64 {
    let entries = Vec::<f64>::try_from(tensor.to_kind(Kind::Double).reshape([-1])).unwrap();
    entries.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn step_0_is_the_plain_start_brought_to_norm_1() {
    let _turn = turn();
    let plain = Params::init(Hand::<Tiny>::SPEC, 3, Device::Cpu);
    for (param, plain) in Params::init(Hand::<TinyUnit>::SPEC, 3, Device::Cpu).iter().zip(&plain) {
        match by_rows(param) {
            Some(by_rows) => {
                let error = difference(&param.tensor, &divided(&plain.tensor, by_rows));
                assert!(error < 1e-6, "{} is off by {error:e}", param.name);
                assert!(!param.tensor.equal(&plain.tensor), "{}", param.name);
            }
            None => assert!(param.tensor.equal(&plain.tensor), "{}", param.name),
        }
    }
}

#[test]
fn a_step_is_the_optimizers_brought_to_norm_1() {
    let _turn = turn();
    let params = Params::init(Hand::<TinyUnit>::SPEC, 3, Device::Cpu);
    let plain = Params::init(Hand::<Tiny>::SPEC, 3, Device::Cpu);
    let mut optimizer = Optimizer::new(Hand::<TinyUnit>::SPEC, &params);
    let mut plain_optimizer = Optimizer::new(Hand::<Tiny>::SPEC, &plain);
    for step in 0..5 {
        tch::no_grad(|| {
            for (plain, param) in plain.iter().zip(&params) {
                plain.tensor.shallow_clone().copy_(&param.tensor);
            }
        });
        tch::manual_seed(step);
        let draw = |param: &Param| Tensor::randn(param.tensor.size(), (Kind::Float, Device::Cpu)) * 0.1;
        let gradients: Vec<Tensor> = params.iter().map(draw).collect();
        let copies: Vec<Tensor> = gradients.iter().map(Tensor::copy).collect();
        let factors = Factors { lr: 1.0, decay: 1.0 };
        let _norm = optimizer.step(&gradients, factors).unwrap();
        let _norm = plain_optimizer.step(&copies, factors).unwrap();
        for (param, plain) in params.iter().zip(&plain) {
            match by_rows(param) {
                Some(by_rows) => {
                    let error = difference(&param.tensor, &divided(&plain.tensor, by_rows));
                    assert!(error < 1e-6, "{} is off by {error:e} after step {step}", param.name);
                    let moved = difference(&plain.tensor, &divided(&plain.tensor, by_rows));
                    assert!(moved > 1e-4, "the test needs steps that leave norm 1: {} {moved:e}", param.name);
                }
                None => assert!(param.tensor.equal(&plain.tensor), "{}", param.name),
            }
        }
    }
}

#[test]
fn in_bf16_a_norm_is_1_up_to_rounding() {
    let _turn = turn();
    let spec = Hand::<InBf16>::SPEC;
    let params = Params::init(spec, 3, Device::Cpu).in_kind(spec, Kind::BFloat16);
    let mut optimizer = Optimizer::new(spec, &params);
    for step in 0..3 {
        tch::manual_seed(step);
        let draw = |param: &Param| Tensor::randn(param.tensor.size(), (Kind::BFloat16, Device::Cpu)) * 0.1;
        let gradients: Vec<Tensor> = params.iter().map(draw).collect();
        let _norm = optimizer.step(&gradients, Factors { lr: 10.0, decay: 1.0 }).unwrap();
    }
    for (param, by_rows) in params.iter().filter_map(|param| Some((param, by_rows(param)?))) {
        // An entry of at most 1 is rounded to one of the two beside it, 2⁻⁸ of it apart.
        let error = difference(&param.tensor, &divided(&param.tensor, by_rows));
        assert!(error < 2.0_f64.powi(-8), "{} is off by {error:e}", param.name);
    }
}

#[test]
fn rows_of_zeros_stay() {
    let tensor = Tensor::from_slice(&[3.0_f32, 4.0, 0.0, 0.0]).view([2, 2]);
    svspec_runtime::unit::normalize(&tensor, &[1]).unwrap();
    assert_eq!(Vec::<f32>::try_from(tensor.reshape([-1])).unwrap(), [0.6, 0.8, 0.0, 0.0]);
}
