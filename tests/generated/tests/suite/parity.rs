//! Logits, loss and every gradient of each generated model are the evaluator's.

use super::setting::{CRATES, TINY, scratch};
use std::fs;
use svspec_generated_tests::door::{self, Batch};
use svspec_generated_tests::tensors::Kind;
use svspec_ir::eval::{self, Tensor};

/// Of the largest entry of the evaluator's tensor.
const TOLERANCE_F64: f64 = 1e-9;
const TOLERANCE_F32: f64 = 1e-4;

#[test]
fn every_target_agrees_with_the_evaluator_in_f64() {
    agrees(Kind::F64, TOLERANCE_F64);
}

#[test]
fn every_target_agrees_with_the_evaluator_in_f32() {
    agrees(Kind::F32, TOLERANCE_F32);
}

fn agrees(kind: Kind, tolerance: f64) {
    let folder = scratch("parity");
    fs::create_dir_all(&folder).unwrap();
    let mut faults = Vec::new();
    for target in TINY.targets() {
        let checked = TINY.checked(&target).unwrap();
        let model = checked.model();
        let values = eval::random_values(model, 3);
        let batch = Batch {
            tokens: eval::random_tokens(model, 2, model.context, 4),
            targets: eval::random_tokens(model, 2, model.context, 5),
        };
        let forward = eval::forward(model, &values, &batch.tokens, &batch.targets);
        let (loss, gradients) = eval::gradients(model, &values, &batch.tokens, &batch.targets);
        let found = door::evaluate(&CRATES, &folder, model, &values, &batch, kind).unwrap();
        let mut expected = vec![
            ("logits".to_owned(), forward.logits),
            ("loss".to_owned(), Tensor::new(Vec::new(), vec![loss])),
        ];
        expected.extend(values.iter().map(|(instance, value)| {
            let gradient = gradients.get(instance).cloned();
            let name = format!("grad.{}", model.instance_name(*instance));
            (name, gradient.unwrap_or_else(|| Tensor::zeros(&value.shape)))
        }));
        assert_eq!(found.len(), expected.len(), "{target}");
        for (name, expected) in &expected {
            let found = &found[name];
            assert_eq!(found.shape, expected.shape, "{target}: {name}");
            let error = relative_error(found, expected);
            if error.is_nan() || error > tolerance {
                faults.push(format!("{target}: {name} is off by {error:.1e}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn relative_error(found: &Tensor, expected: &Tensor) -> f64 {
    let largest = expected.data.iter().fold(1e-12_f64, |largest, value| largest.max(value.abs()));
    let errors = found.data.iter().zip(&expected.data).map(|(a, b)| (a - b).abs() / largest);
    errors.fold(0.0, |worst, error| if error.is_nan() { f64::NAN } else { worst.max(error) })
}
