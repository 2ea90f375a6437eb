//! Whole models: each parameter's gradient against finite differences along a random direction.

use crate::spec;
use svspec_ir::eval::{Random, Tensor, Values, forward, gradients, random_tokens, random_values};
use svspec_ir::rewrite::{Rewrites, optimise};
use svspec_ir::{Model, ParamKind};

fn check(model: &Model) {
    let (tokens, targets) = (random_tokens(model, 1, 5, 1), random_tokens(model, 1, 5, 2));
    let values = random_values(model, 3);
    let (loss, gradients) = gradients(model, &values, &tokens, &targets);
    assert_eq!(loss.to_bits(), forward(model, &values, &tokens, &targets).loss.to_bits());
    let mut random = Random::new(4);
    for (instance, value) in &values {
        let direction = value.map(|_| 0.0).data.iter().map(|_| random.normal()).collect::<Vec<f64>>();
        let at = |step: f64| {
            let mut moved = values.clone();
            let data = value.data.iter().zip(&direction).map(|(x, d)| x + step * d).collect();
            moved.insert(*instance, Tensor::new(value.shape.clone(), data));
            forward(model, &moved, &tokens, &targets).minimised(model)
        };
        // So small that no choice of experts changes on the way.
        let step = 1e-5;
        let near = 8.0 * (at(step) - at(-step));
        let expected = (near - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step);
        if model.params[instance.param.0].kind == ParamKind::Correction {
            // It acts through a choice, which is constant in the derivative.
            assert!(!gradients.contains_key(instance) && expected == 0.0);
            continue;
        }
        let gradient = gradients.get(instance).expect("every tensor has a gradient");
        let found: f64 = gradient.data.iter().zip(&direction).map(|(g, d)| g * d).sum();
        let length = gradient.data.iter().map(|g| g * g).sum::<f64>().sqrt();
        let error = (found - expected).abs() / length.max(1e-4);
        let name = model.instance_name(*instance);
        assert!(error < 1e-6, "{} {name}: {found} against {expected}", model.name);
    }
}

#[test]
fn agree_with_finite_differences() {
    for checked in spec::tiny() {
        check(checked.model());
    }
}

#[test]
fn agree_with_finite_differences_after_rewrites() {
    for target in ["unified", "grouped", "tied"] {
        let (model, applied) = optimise(spec::tiny_target(target).model(), &Rewrites::default());
        assert!(!applied.is_empty(), "{target}");
        check(&model);
    }
}

/// A value of the loss that follows from the definition alone.
#[test]
fn equal_logits_lose_the_log_of_the_vocabulary() {
    let checked = spec::tiny_target("base");
    let model = checked.model();
    let mut values: Values = random_values(model, 3);
    let unembed = model.params.iter().position(|param| param.path == "unembed.weight").unwrap();
    for (instance, value) in &mut values {
        if instance.param.0 == unembed {
            value.data.fill(0.0);
        }
    }
    let tokens = random_tokens(model, 2, 4, 1);
    let loss = forward(model, &values, &tokens, &tokens).loss;
    assert!((loss - 11_f64.ln()).abs() < 1e-12);
}

#[test]
fn step_0_of_hg_and_dp_is_that_of_the_baseline() {
    let loss = |target: &str| {
        let checked = spec::tiny_target(target);
        let model = checked.model();
        let named = |name: &str| {
            let base = spec::tiny_target("base");
            let base_values = random_values_without_scales(base.model());
            base_values.into_iter().find(|(of, _)| of == name).map(|(_, value)| value)
        };
        let mut values = svspec_ir::eval::initial_values(model, checked.assignments(), 0);
        for (instance, value) in &mut values {
            if let Some(of_base) = named(&model.instance_name(*instance)) {
                *value = of_base;
            }
        }
        let tokens = random_tokens(model, 2, 4, 1);
        forward(model, &values, &tokens, &tokens).logits
    };
    for variant in ["hg", "dp", "or", "er", "gains_one_plus"] {
        let distance = crate::agreement::distance(&loss("base"), &loss(variant));
        assert!(distance < 1e-14, "{variant}: {distance}");
    }
}

fn random_values_without_scales(model: &Model) -> Vec<(String, Tensor)> {
    let kind = |instance: &svspec_ir::Instance| model.params[instance.param.0].kind;
    random_values(model, 9)
        .into_iter()
        .filter(|(instance, _)| kind(instance) != svspec_ir::ParamKind::Scale)
        .map(|(instance, value)| (model.instance_name(instance), value))
        .collect()
}
