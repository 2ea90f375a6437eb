//! The fused optimizer against AdamW written out in f64, group by group, and clipping against its formula.

use crate::hand::{Hand, Tiny};
use crate::runs::turn;
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

#[test]
fn thirty_steps_equal_adamw_written_out_in_f64() {
    let _turn = turn();
    let params = Params::init(SPEC, 1, Device::Cpu);
    let mut optimizer = Optimizer::new(SPEC, &params);
    let (beta1, beta2) = SPEC.training.betas;
    let double = |tensor: &Tensor| tensor.detach().to_kind(Kind::Double);
    let mut weights: Vec<Tensor> = params.iter().map(|param| double(&param.tensor).copy()).collect();
    let mut first: Vec<Tensor> = weights.iter().map(Tensor::zeros_like).collect();
    let mut second: Vec<Tensor> = weights.iter().map(Tensor::zeros_like).collect();
    for step in 1..=30 {
        let gradients = gradients(&params, step);
        let norm = clipped_norm(&params, &gradients);
        let lr = 1e-2 / step as f64;
        for (index, param) in params.iter().enumerate() {
            let group = group_of(param.group);
            let factor =
                if group.clipped { (SPEC.training.clip.unwrap() / (norm + 1e-6)).min(1.0) } else { 1.0 };
            let gradient = double(&gradients[index]) * factor;
            first[index] = &first[index] * beta1 + &gradient * (1.0 - beta1);
            second[index] = &second[index] * beta2 + gradient.square() * (1.0 - beta2);
            let corrected_first = &first[index] / (1.0 - beta1.powi(step as i32));
            let corrected_second = &second[index] / (1.0 - beta2.powi(step as i32));
            let lr = lr * group.lr_multiplier;
            let update = corrected_first / (corrected_second.sqrt() + SPEC.training.eps);
            weights[index] = &weights[index] * (1.0 - lr * group.weight_decay) - update * lr;
        }
        let reported = optimizer.step(&gradients, lr).unwrap().double_value(&[]);
        assert!((reported / norm - 1.0).abs() < 1e-5, "{reported} against {norm}");
    }
    for (param, weight) in params.iter().zip(&weights) {
        let error = (double(&param.tensor) - weight).abs().max().double_value(&[]);
        // f32 keeps 6e-8 of weights near 1; thirty roundings of that size.
        assert!(error < 2e-6, "{} is off by {error:e}", param.name);
    }
}

#[test]
fn without_gradients_a_step_only_decays() {
    let _turn = turn();
    let params = Params::init(SPEC, 1, Device::Cpu);
    let before: Vec<Tensor> = params.iter().map(|param| param.tensor.detach().copy()).collect();
    let zeros: Vec<Tensor> = before.iter().map(Tensor::zeros_like).collect();
    let lr = 0.25;
    let norm = Optimizer::new(SPEC, &params).step(&zeros, lr).unwrap();
    assert!(norm.double_value(&[]).abs() < f64::EPSILON);
    for (param, before) in params.iter().zip(&before) {
        let group = group_of(param.group);
        let expected = before * (1.0 - lr * group.lr_multiplier * group.weight_decay);
        let error = (param.tensor.detach() - expected).abs().max().double_value(&[]);
        assert!(error < 1e-7, "{} is off by {error:e}", param.name);
    }
}

#[test]
fn clipping_scales_clipped_groups_to_the_norm_and_leaves_the_rest() {
    let _turn = turn();
    let params = Params::init(SPEC, 1, Device::Cpu);
    let gradients = gradients(&params, 3);
    let before: Vec<Tensor> = gradients.iter().map(Tensor::copy).collect();
    let norm = clipped_norm(&params, &before);
    assert!(norm > 1.0, "the test needs something to clip: {norm}");
    let _norm = Optimizer::new(SPEC, &params).step(&gradients, 0.0).unwrap();
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
    let _norm = Optimizer::new(SPEC, &params).step(&gradients, 0.0).unwrap();
    assert!(gradients.iter().zip(&before).all(|(after, before)| after.equal(before)));
}
