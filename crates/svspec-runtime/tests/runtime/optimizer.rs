//! What a step does at its limits: without gradients, and to gradients that are clipped or not.

use crate::hand::{Hand, Size};
use crate::runs::turn;
use crate::settings;
use crate::tiny::Tiny;
use crate::tiny_muon::TinyMuon;
use crate::tiny_stochastic::{TinyStochastic, TinyStochasticMuon};
use crate::tiny_unit::TinyUnit;
use svspec_runtime::precision;
use svspec_runtime::schedule::Factors;
use svspec_runtime::spec::{GroupRow, Spec};
use svspec_runtime::{Model, Optimizer, Params};
use tch::{Device, Kind, Tensor};

const SPEC: &Spec = <Hand<Tiny> as Model>::SPEC;

/// Gradients that are large enough to be clipped, other ones at every step.
fn gradients(params: &Params, step: i64) -> Vec<Tensor> {
    tch::manual_seed(step);
    params.iter().map(|param| Tensor::randn(param.tensor.size(), (Kind::Float, Device::Cpu)) * 0.1).collect()
}

fn group_of(index: usize) -> &'static GroupRow {
    &SPEC.groups[index]
}

fn clipped_norm(params: &Params, gradients: &[Tensor]) -> f64 {
    let squares = params.iter().zip(gradients).filter(|(param, _)| group_of(param.group).clipped);
    squares
        .map(|(_, gradient)| gradient.to_kind(Kind::Double).square().sum(Kind::Double).double_value(&[]))
        .sum::<f64>()
        .sqrt()
}

fn only_decays<S: Size>() {
    let _turn = turn();
    let spec = Hand::<S>::SPEC;
    let params = Params::init(spec, 1, Device::Cpu);
    let before: Vec<Tensor> = params.iter().map(|param| param.tensor.detach().copy()).collect();
    let zeros: Vec<Tensor> = before.iter().map(Tensor::zeros_like).collect();
    let factors = Factors { lr: 25.0, decay: 0.5 };
    let norm = Optimizer::new(spec, &params).step(&zeros, factors).unwrap();
    assert!(norm.double_value(&[]).abs() < f64::EPSILON);
    for (param, before) in params.iter().zip(&before) {
        let group = &spec.groups[param.group];
        let expected = before * (1.0 - 25.0 * group.lr * 0.5 * group.weight_decay);
        let error = (param.tensor.detach() - expected).abs().max().double_value(&[]);
        assert!(error < 1e-7, "{} is off by {error:e}", param.name);
    }
}

#[test]
fn without_gradients_a_step_only_decays() {
    only_decays::<Tiny>();
    only_decays::<TinyMuon>();
}

#[test]
fn clipping_scales_clipped_groups_to_the_norm_and_leaves_the_rest() {
    let _turn = turn();
    let params = Params::init(SPEC, 1, Device::Cpu);
    let gradients = gradients(&params, 3);
    let before: Vec<Tensor> = gradients.iter().map(Tensor::copy).collect();
    let norm = clipped_norm(&params, &before);
    assert!(norm > 1.0, "the test needs something to clip: {norm}");
    let _norm = Optimizer::new(SPEC, &params).step(&gradients, Factors { lr: 0.0, decay: 1.0 }).unwrap();
    assert!((clipped_norm(&params, &gradients) - 1.0).abs() < 1e-5);
    for ((param, after), before) in params.iter().zip(&gradients).zip(&before) {
        let factor = if group_of(param.group).clipped { 1.0 / (norm + 1e-6) } else { 1.0 };
        let error = (after - before * factor).abs().max().double_value(&[]);
        assert!(error < 1e-7, "{} is off by {error:e}", param.name);
    }
}

#[test]
fn small_gradients_are_not_scaled_up() {
    let _turn = turn();
    let params = Params::init(SPEC, 1, Device::Cpu);
    let gradients: Vec<Tensor> = gradients(&params, 3).iter().map(|gradient| gradient * 1e-4).collect();
    let before: Vec<Tensor> = gradients.iter().map(Tensor::copy).collect();
    let _norm = Optimizer::new(SPEC, &params).step(&gradients, Factors { lr: 0.0, decay: 1.0 }).unwrap();
    assert!(gradients.iter().zip(&before).all(|(after, before)| after.equal(before)));
}

/// Two steps, the second with gradients that are no numbers, and passed over: all is as after the first.
fn passes_over(spec: &'static Spec) {
    let params = Params::init(spec, 1, Device::Cpu).in_kind(spec, precision::kind(spec.training.precision));
    let mut optimizer = Optimizer::new(spec, &params);
    optimizer.count_from(5, 0);
    let like = |step: i64| -> Vec<Tensor> {
        let kinds = params.iter().map(|param| param.tensor.kind());
        gradients(&params, step).iter().zip(kinds).map(|(gradient, kind)| gradient.to_kind(kind)).collect()
    };
    let all = |optimizer: &Optimizer| -> Vec<(String, Tensor)> {
        let tensors = params.iter().map(|param| (param.name.clone(), param.tensor.detach()));
        tensors.chain(optimizer.state()).map(|(name, tensor)| (name, tensor.copy())).collect()
    };
    let _norm = optimizer.step(&like(1), Factors::PEAK).unwrap();
    let before = all(&optimizer);
    let odd: Vec<Tensor> = like(2).iter().map(|gradient| gradient * f64::NAN).collect();
    let norms = optimizer.norms(&odd).unwrap();
    let skip = Tensor::ones([0_i64; 0], (Kind::Float, Device::Cpu));
    let _norm = optimizer.step_by(&odd, Factors::PEAK, &norms, &skip).unwrap();
    for ((name, before), (_, after)) in before.iter().zip(all(&optimizer)) {
        assert!(before.equal(&after), "{}: {name}", spec.name);
    }
    let _norm = optimizer.step(&like(3), Factors::PEAK).unwrap();
    for ((name, before), (_, after)) in before.iter().zip(all(&optimizer)) {
        // One rounded to bf16 need not move.
        assert!(!before.equal(&after) || before.numel() == 1, "{}: {name} stays", spec.name);
    }
}

#[test]
fn a_step_that_is_passed_over_changes_no_weight_and_no_memory() {
    let _turn = turn();
    passes_over(&settings::SPEC);
    passes_over(Hand::<TinyStochastic>::SPEC);
    passes_over(Hand::<TinyStochasticMuon>::SPEC);
    passes_over(Hand::<TinyUnit>::SPEC);
}
