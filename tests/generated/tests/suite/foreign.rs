//! A checkpoint laid out by the compiler's own table is read by the generated crate as the parameters that it came from.

use super::setting::{CRATES, TINY, scratch};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use svspec_generated_tests::door::{self, Batch};
use svspec_generated_tests::tensors::{self, Kind};
use svspec_ir::eval::{self, Tensor, Values};
use svspec_ir::{ForeignInstance, Model};

/// What `pieces` are, of `values` by instance, laid out as the tensor.
fn laid_out(tensor: &ForeignInstance, values: &Values) -> Tensor {
    let pieces: Vec<Vec<f64>> =
        tensor.pieces.iter().map(|piece| values[&piece.instance].data.clone()).collect();
    Tensor::new(tensor.shape.clone(), tensor.join(&pieces, 0.0).unwrap())
}

fn checkpoint(model: &Model, values: &Values, folder: &Path) {
    let all = model.foreign_instances();
    let mut list: Vec<(String, Tensor, Kind)> =
        all.iter().map(|tensor| (tensor.name.clone(), laid_out(tensor, values), Kind::F64)).collect();
    list.push(("h.1.mask".to_owned(), Tensor::zeros(&[1, 1, 7]), Kind::F64));
    fs::create_dir_all(folder).unwrap();
    tensors::write(&folder.join("model.safetensors"), &list).unwrap();
}

#[test]
fn foreign_parameters_and_gradients_are_those_of_the_evaluator() {
    let checked = TINY.checked("tiny_foreign").unwrap();
    let model = checked.model();
    let values = eval::random_values(model, 3);
    let tokens = eval::random_tokens(model, 2, model.context, 4);
    let targets = eval::random_tokens(model, 2, model.context, 5);
    let folder = scratch("foreign");
    checkpoint(model, &values, &folder);

    let batch = Batch { tokens: tokens.clone(), targets: targets.clone() };
    let found = door::evaluate_from(&CRATES, &folder, model, &batch).unwrap();
    let forward = eval::forward(model, &values, &tokens, &targets);
    let (loss, gradients) = eval::gradients(model, &values, &tokens, &targets);
    let mut wanted = BTreeMap::from([
        ("logits".to_owned(), forward.logits),
        ("loss".to_owned(), Tensor::new(Vec::new(), vec![loss])),
    ]);
    for tensor in model.foreign_instances() {
        wanted.insert(format!("foreign_grad.{}", tensor.name), laid_out(&tensor, &gradients));
    }
    assert!(wanted.len() > 20);
    for (name, wanted) in &wanted {
        assert_eq!(found[name].shape, wanted.shape, "{name}");
        let largest = wanted.data.iter().fold(1e-12_f64, |largest, value| largest.max(value.abs()));
        let off = found[name].data.iter().zip(&wanted.data).map(|(a, b)| (a - b).abs() / largest);
        assert!(off.fold(0.0, f64::max) < 1e-9, "{name}");
    }
}
