//! bf16 throughout: rounding that is right on average, steps that are smaller than half a unit and arrive nevertheless.

use crate::hand::{Hand, Size};
use crate::operations::waves;
use crate::runs::turn;
use crate::tiny_stochastic::{TinyStochastic, TinyStochasticMuon};
use svspec_runtime::ffi::{self, Way};
use svspec_runtime::schedule::Factors;
use svspec_runtime::{Model, Optimizer, Params, precision};
use tch::{Device, Kind, Tensor};

fn rounded(from: &Tensor, seed: u64, way: Way) -> Tensor {
    let to = Tensor::zeros(from.size(), (Kind::BFloat16, Device::Cpu));
    ffi::round_stochastically(&to, from, seed, way).unwrap();
    to
}

fn numbers() -> Tensor {
    waves(&[1023, 31], 0.1).to_kind(Kind::Float)
        * Tensor::from_slice(&[1e-6_f32, 1.0, 3e4]).repeat_interleave_self_int(11, 0, None).narrow(0, 0, 31)
}

/// The bf16 numbers below and above, by the bits that are cut off.
fn neighbours(from: &Tensor) -> [Tensor; 2] {
    let bits = from.view_dtype(Kind::Int);
    let towards_zero = bits.bitwise_and(-65536_i64);
    let away = &towards_zero + 65536_i64;
    let value = |bits: &Tensor| bits.view_dtype(Kind::Float).to_kind(Kind::Double);
    [value(&towards_zero), value(&away)]
}

#[test]
fn every_entry_becomes_one_of_its_two_neighbours() {
    let from = numbers();
    let [towards_zero, away] = neighbours(&from);
    let to = rounded(&from, 7, Way::Fastest).to_kind(Kind::Double);
    let (down, up) = (to.eq_tensor(&towards_zero), to.eq_tensor(&away));
    assert!(down.logical_or(&up).all().double_value(&[]) > 0.0);
    // Both happen, and what is a bf16 already stays.
    assert!(down.any().double_value(&[]) > 0.0 && up.any().double_value(&[]) > 0.0);
    let exact = from.to_kind(Kind::BFloat16);
    assert!(rounded(&exact.to_kind(Kind::Float), 8, Way::Fastest).equal(&exact));
}

/// The mean of many roundings is the number: within five standard deviations of that mean, for numbers of either sign and of
/// every size, each by itself.
#[test]
fn rounding_is_right_on_average() {
    const NUM_SEEDS: u64 = 4000;
    let from = numbers().flatten(0, -1).narrow(0, 0, 600);
    let exact = from.to_kind(Kind::Double);
    let [towards_zero, away] = neighbours(&from);
    let gap = (&away - &towards_zero).abs();
    let mut sum = exact.zeros_like();
    for seed in 0..NUM_SEEDS {
        sum += rounded(&from, seed, Way::Fastest).to_kind(Kind::Double);
    }
    let mean = sum / NUM_SEEDS as f64;
    let share = (&exact - &towards_zero).abs() / &gap;
    let variance: Tensor = &share * (1.0 - &share) / NUM_SEEDS as f64;
    let deviation = variance.sqrt() * &gap;
    let off = ((&mean - &exact) / (deviation + &gap * 1e-9)).abs();
    assert!(off.max().double_value(&[]) < 5.0, "{}", off.max().double_value(&[]));
    // Nor is there a drift over all of them that each alone would hide.
    let drift = ((mean - exact) / gap).mean(Kind::Double).double_value(&[]);
    assert!(drift.abs() < 5.0 * 0.5 / (600.0 * NUM_SEEDS as f64).sqrt(), "{drift:e}");
}

#[test]
fn the_bits_are_a_function_of_the_seed_and_the_same_by_operators() {
    let from = numbers();
    for seed in [0, 1, 1 << 40, u64::MAX] {
        assert!(rounded(&from, seed, Way::Fastest).equal(&rounded(&from, seed, Way::Operators)), "{seed}");
    }
    assert!(!rounded(&from, 1, Way::Fastest).equal(&rounded(&from, 2, Way::Fastest)));
    assert!(!rounded(&from, 1, Way::Fastest).equal(&rounded(&from, 1 << 32, Way::Fastest)));
}

#[test]
fn what_is_no_number_stays_so() {
    let odd = Tensor::from_slice(&[f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 0.0, -0.0]);
    for way in [Way::Fastest, Way::Operators] {
        let found = Vec::<f32>::try_from(rounded(&odd, 3, way).to_kind(Kind::Float)).unwrap();
        assert!(found[0] == f32::INFINITY && found[1] == f32::NEG_INFINITY && found[2].is_nan());
        assert!(found[3].to_bits() == 0.0_f32.to_bits() && found[4].to_bits() == (-0.0_f32).to_bits());
    }
}

/// Updates of a tenth of a unit: rounded to nearest, no weight would ever move.
fn moves<S: Size>() {
    const NUM_STEPS: u64 = 200;
    let _turn = turn();
    let spec = Hand::<S>::SPEC;
    let params = Params::init(spec, 1, Device::Cpu).in_kind(spec, precision::kind(spec.training.precision));
    // Every weight 1, where a unit in the last place is 2⁻⁷ above and 2⁻⁸ below.
    for param in &params {
        let _ = tch::no_grad(|| param.tensor.shallow_clone().fill_(1.0));
    }
    let mut optimizer = Optimizer::new(spec, &params);
    optimizer.count_from(5, 0);
    let matrix = params.iter().find(|param| param.name == "embed.weight").unwrap();
    let rate = spec.groups[matrix.group].lr;
    // AdamW moves an entry of constant gradient by its rate; the embedding's does not decay.
    let factors = Factors { lr: 0.1 * 2.0_f64.powi(-8) / rate, decay: 0.0 };
    for _ in 0..NUM_STEPS {
        let gradients: Vec<Tensor> =
            params.iter().map(|param| param.tensor.detach().ones_like() * 1e-3).collect();
        let _norm = optimizer.step(&gradients, factors).unwrap();
    }
    let mean = matrix.tensor.to_kind(Kind::Double).mean(Kind::Double).double_value(&[]);
    let expected = 1.0 - NUM_STEPS as f64 * 0.1 * 2.0_f64.powi(-8);
    assert!((mean - expected).abs() < 0.02 * (1.0 - expected), "{mean}, not {expected}");
    for (name, tensor) in optimizer.state() {
        let kind = if name.rsplit('.').next() == Some("step") { Kind::Float } else { Kind::BFloat16 };
        assert_eq!(tensor.kind(), kind, "{name}");
    }
    assert!(params.iter().all(|param| param.tensor.kind() == Kind::BFloat16));
}

#[test]
fn steps_smaller_than_half_a_unit_arrive() {
    moves::<TinyStochastic>();
    moves::<TinyStochasticMuon>();
}
