//! What `roles::prove` says of absorption, against the evaluator: an absorbable vector folds without a trace, and for
//! one that is not, no rescaling of weights near it does what it does.

use crate::{agreement::distance, spec};
use std::collections::BTreeMap;
use svspec_ir::eval::{Tensor, Values, forward, random_tokens, random_values};
use svspec_ir::fold::{Side, fold, multiply};
use svspec_ir::{Absorption, Instance, Model, ParamId, ParamKind, RegionId, RegionKind, ScaleFacts};

fn logits(model: &Model, values: &Values) -> Tensor {
    let tokens = random_tokens(model, 5, 5, 1);
    forward(model, values, &tokens, &tokens).logits
}

fn is_absorbable(facts: &ScaleFacts) -> bool {
    !matches!(facts.absorption, Absorption::None(_))
}

#[test]
fn an_absorbable_vector_folds_without_a_trace() {
    let mut num_folded = 0;
    for checked in spec::tiny() {
        let model = checked.model();
        for seed in 0..3 {
            let values = random_values(model, seed);
            let expected = logits(model, &values);
            for facts in checked.facts().iter().filter(|facts| is_absorbable(facts)) {
                let folded = fold(model, &values, std::slice::from_ref(facts));
                assert!(folded != values);
                let distance = distance(&expected, &logits(model, &folded));
                let path = &model.scales[facts.scale.0].path;
                assert!(distance < 1e-10, "{} {path}: {distance}", model.name);
                num_folded += 1;
            }
            let distance = distance(&expected, &logits(model, &fold(model, &values, checked.facts())));
            assert!(distance < 1e-10, "{}: {distance}", model.name);
        }
    }
    assert!(num_folded > 100, "{num_folded}");
}

/// What is left of the vector's own effect on the logits, relative to it, to first order, once the best rescaling of
/// rows and columns of weights (least squares over `rescalings`) is taken away. If a smooth family of rescalings did
/// what γ does, nothing would be left.
fn residual(model: &Model, values: &Values, facts: &ScaleFacts, rescalings: &[Vec<f64>]) -> f64 {
    let vector = &model.scales[facts.scale.0];
    let of_gamma = model.instance(*vector.params.last().unwrap(), layer(model, vector.region));
    let num_entries = values[&of_gamma].data.len();
    let along: Vec<f64> = (0..num_entries).map(|entry| 1.0 + (entry % 3) as f64).collect();
    let mut effect = derivative(model, values, |values, step| {
        for (entry, by) in values.get_mut(&of_gamma).unwrap().data.iter_mut().zip(&along) {
            *entry += step * by;
        }
    });
    let size_of_effect = norm(&effect);
    for _ in 0..2 {
        for unit in rescalings {
            remove(&mut effect, unit);
        }
    }
    norm(&effect) / size_of_effect
}

/// An orthonormal basis of what rescaling each row and each column of each weight of a region does to the logits: of the
/// first layer, or outside the stack of the embedding too.
fn rescalings(model: &Model, values: &Values, region: RegionId) -> Vec<Vec<f64>> {
    let mut effects = Vec::new();
    for weight in neighbours(model, region) {
        let param = &model.params[weight.param.0];
        let num_entries: usize = param.dims.iter().map(|dim| dim.size).product();
        let num_rows = match param.kind {
            ParamKind::Weight | ParamKind::Router => {
                param.dims[..param.num_out_dims].iter().map(|dim| dim.size).product()
            }
            ParamKind::Embedding => param.dims[0].size,
            ParamKind::Scale | ParamKind::Bias | ParamKind::Correction => continue,
        };
        for (side, count) in [(Side::Rows, num_rows), (Side::Columns, num_entries / num_rows)] {
            for index in 0..count {
                effects.push(derivative(model, values, |values, step| {
                    let mut factors = vec![1.0; count];
                    factors[index] += step;
                    multiply(values.get_mut(&weight).unwrap(), &factors, side, 1);
                }));
            }
        }
    }
    orthonormal(effects)
}

/// The derivative of the logits along a change of the parameters.
fn derivative(model: &Model, values: &Values, change: impl Fn(&mut Values, f64)) -> Vec<f64> {
    let at = |step: f64| {
        let mut values = values.clone();
        change(&mut values, step);
        logits(model, &values).data
    };
    let step = 1e-4;
    at(step).iter().zip(at(-step)).map(|(ahead, behind)| (ahead - behind) / (2.0 * step)).collect()
}

/// A basis of the span of `vectors`.
fn orthonormal(vectors: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let num_entries = vectors.first().map_or(0, Vec::len);
    for mut next in vectors {
        let before = norm(&next);
        for _ in 0..2 {
            for unit in &basis {
                remove(&mut next, unit);
            }
        }
        let length = norm(&next);
        if length > 1e-7 * before {
            basis.push(next.iter().map(|entry| entry / length).collect());
        }
    }
    assert!(basis.len() < num_entries * 3 / 4, "{} rescalings span too much of {num_entries}", basis.len());
    basis
}

fn remove(vector: &mut [f64], unit: &[f64]) {
    let along: f64 = vector.iter().zip(unit).map(|(a, b)| a * b).sum();
    vector.iter_mut().zip(unit).for_each(|(entry, unit)| *entry -= along * unit);
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|entry| entry * entry).sum::<f64>().sqrt()
}

/// The parameters of a region's first layer, or outside the stack of the region and the embedding.
fn neighbours(model: &Model, region: RegionId) -> Vec<Instance> {
    let layer = layer(model, region);
    let is_near = |id: usize| {
        let param = &model.params[id];
        param.region == region || (layer.is_none() && param.kind == ParamKind::Embedding)
    };
    (0..model.params.len()).filter(|&id| is_near(id)).map(|id| model.instance(ParamId(id), layer)).collect()
}

/// The layer that stands for the region.
fn layer(model: &Model, region: RegionId) -> Option<usize> {
    (model.regions[region.0].kind == RegionKind::Layer).then_some(0)
}

#[test]
fn no_rescaling_of_weights_does_what_an_unabsorbable_vector_does() {
    let mut num_tried = 0;
    for target in ["unified", "grouped", "tied", "outputs"] {
        let checked = spec::tiny_target(target);
        let model = checked.model();
        let values = random_values(model, 1);
        let mut bases: BTreeMap<RegionId, Vec<Vec<f64>>> = BTreeMap::new();
        for facts in checked.facts() {
            let region = model.scales[facts.scale.0].region;
            let basis = bases.entry(region).or_insert_with(|| rescalings(model, &values, region));
            let residual = residual(model, &values, facts, basis);
            let path = &model.scales[facts.scale.0].path;
            if is_absorbable(facts) {
                assert!(residual < 1e-5, "{target} {path} folds, yet {residual} is left");
            } else {
                assert!(residual > 1e-3, "{target} {path} does not fold, yet only {residual} is left");
                num_tried += 1;
            }
        }
    }
    assert!(num_tried > 8, "{num_tried}");
}
