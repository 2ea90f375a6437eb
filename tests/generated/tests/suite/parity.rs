//! Logits, loss and every gradient of each generated model are the evaluator's.

use super::setting::{CRATES, OPS, OPS_CRATES, TINY, scratch};
use std::fs;
use svspec_generated_tests::compiled::Spec;
use svspec_generated_tests::crates::Crates;
use svspec_generated_tests::door::{self, Batch};
use svspec_generated_tests::tensors::Kind;
use svspec_ir::eval::{self, Tensor};

/// Of the largest entry of the evaluator's tensor; for a magnitude, of its direction's too: a normalisation after the
/// linear map makes the magnitude's gradient a sum that cancels, and its rounding is that of the terms.
const TOLERANCE_F64: f64 = 1e-9;
const TOLERANCE_F32: f64 = 1e-4;

#[test]
fn every_target_agrees_with_the_evaluator_in_f64() {
    agrees(&TINY, &CRATES, Kind::F64, TOLERANCE_F64);
}

#[test]
fn every_setting_of_the_ops_agrees_in_f64() {
    agrees(&OPS, &OPS_CRATES, Kind::F64, TOLERANCE_F64);
}

#[test]
fn every_target_agrees_with_the_evaluator_in_f32() {
    agrees(&TINY, &CRATES, Kind::F32, TOLERANCE_F32);
}

fn agrees(spec: &Spec, crates: &Crates, kind: Kind, tolerance: f64) {
    let folder = scratch("parity");
    fs::create_dir_all(&folder).unwrap();
    let mut faults = Vec::new();
    for target in spec.targets() {
        let checked = spec.checked(&target).unwrap();
        let model = checked.model();
        let values = eval::random_values(model, 3);
        let batch = Batch {
            tokens: eval::random_tokens(model, 2, model.context, 4),
            targets: eval::random_tokens(model, 2, model.context, 5),
        };
        let forward = eval::forward(model, &values, &batch.tokens, &batch.targets);
        let (loss, gradients) = eval::gradients(model, &values, &batch.tokens, &batch.targets);
        let found = door::evaluate(crates, &folder, model, &values, &batch, kind).unwrap();
        let mut expected_all = vec![
            ("logits".to_owned(), forward.logits),
            ("loss".to_owned(), Tensor::new(Vec::new(), vec![loss])),
        ];
        let side = model.side_losses().iter().zip(&forward.side_losses);
        expected_all.extend(
            side.map(|(side, value)| (format!("side.{}", side.name), Tensor::new(Vec::new(), vec![*value]))),
        );
        expected_all.extend(values.iter().map(|(instance, value)| {
            let gradient = gradients.get(instance).cloned();
            let name = format!("grad.{}", model.instance_name(*instance));
            (name, gradient.unwrap_or_else(|| Tensor::zeros(&value.shape)))
        }));
        assert_eq!(found.len(), expected_all.len(), "{target}");
        for (name, expected) in &expected_all {
            let found = &found[name];
            assert_eq!(found.shape, expected.shape, "{target}: {name}");
            let sibling = name.strip_suffix(".magnitude").map(|path| format!("{path}.direction"));
            let sibling = expected_all.iter().find(|(other, _)| Some(other) == sibling.as_ref());
            let size = sibling.map_or(0.0, |(_, direction)| largest(direction)).max(largest(expected));
            let error = largest_difference(found, expected) / size;
            if error.is_nan() || error > tolerance {
                faults.push(format!("{target}: {name} is off by {error:.1e}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The largest magnitude; never 0, so that it divides.
fn largest(tensor: &Tensor) -> f64 {
    tensor.data.iter().fold(1e-12_f64, |largest, value| largest.max(value.abs()))
}

/// NaN if one entry is.
fn largest_difference(a: &Tensor, b: &Tensor) -> f64 {
    let differences = a.data.iter().zip(&b.data).map(|(a, b)| (a - b).abs());
    differences
        .fold(0.0, |worst, difference| if difference.is_nan() { f64::NAN } else { worst.max(difference) })
}
