//! A run as `svc train` leaves it, made by hand: no LibTorch.

#![expect(clippy::unwrap_used, reason = "a run that cannot be set up fails its test")]

use crate::scene::{Scene, TINY};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::{BTreeMap, HashMap};
use svspec_diagnostics::Sources;
use svspec_ir::CheckedModel;
use svspec_ir::eval::{Tensor, Values, random_values};

/// Targets of a run's spec beside the tiny ones.
pub const TARGETS: &str = "
/// HG, a vector after each map, and OR.
variant mixed of tiny with hg {
    attn.{q, k, v}, mlp.{gate, up, down} : out scale
    scale : magnitude_direction
}
/// Its vectors after q and k have a place in Qwen3 and no weight takes them.
variant qk_hg of tiny with hg, qk {}
variant normed of tiny { mlp.down : out normalize + scale }
variant apart of tiny { document_end = 0 }
";

/// One target of a spec without imports.
pub fn compile(text: &str, target: &str) -> CheckedModel {
    struct NoImports;
    impl svspec_ir::Loader for NoImports {
        fn load(&mut self, _: &str, path: &str) -> Result<(String, String), String> {
            Err(format!("{path} is not there"))
        }
    }
    let mut sources = Sources::new();
    let entry = sources.add("spec", text);
    let (program, _) = svspec_ir::load(&mut sources, entry, &mut NoImports);
    svspec_ir::compile(&program, &sources, target).unwrap().checked
}

fn bytes(tensor: &Tensor) -> Vec<u8> {
    tensor.data.iter().flat_map(|&entry| (entry as f32).to_le_bytes()).collect()
}

/// A run of `target` as `svc train` leaves it, with random weights that are exact in 32 bits.
pub fn run(scene: &Scene, folder: &str, target: &str) -> (CheckedModel, Values) {
    let text = format!("{TINY}{TARGETS}");
    let checked = compile(&text, target);
    let model = checked.model();
    let mut values = random_values(model, 5);
    for value in values.values_mut() {
        *value = value.map(|entry| f64::from(entry as f32));
    }
    std::fs::create_dir_all(scene.path(&format!("{folder}/checkpoint"))).unwrap();
    std::fs::create_dir_all(scene.path(&format!("{folder}/spec"))).unwrap();
    scene.write(&format!("{folder}/spec/tiny.svspec"), text);
    let record = serde_json::json!({
        "format_version": 2, "spec": "spec/tiny.svspec", "target": target, "without": [], "data": []
    });
    scene.write(&format!("{folder}/svc.json"), record.to_string());
    let state = serde_json::json!({
        "format_version": 2, "model": target, "spec_hash": "0123", "step": 7, "steps": 20, "tokens": 448, "seed": 3,
        "threads": 2, "seconds": 1.5, "data": ["text.txt"], "corpus": { "sources": [] }
    });
    scene.write(&format!("{folder}/checkpoint/state.json"), state.to_string());
    let weights = values.iter().map(|(&id, value)| (model.instance_name(id), value.clone())).collect();
    write(scene, &format!("{folder}/checkpoint/model.safetensors"), &weights);
    let mut remembered = BTreeMap::new();
    for (name, value) in &weights {
        remembered.insert(format!("{name}.first_moment"), value.map(|entry| entry / 8.0));
        remembered.insert(format!("{name}.second_moment"), value.map(|entry| entry * entry / 8.0));
        remembered.insert(format!("{name}.step"), Tensor::filled(&[], 7.0));
    }
    remembered.insert("rng.cpu".to_owned(), Tensor::filled(&[3], 5.0));
    write(scene, &format!("{folder}/checkpoint/optimizer.safetensors"), &remembered);
    (checked, values)
}

/// Writes a file of tensors, of step 7.
pub fn write(scene: &Scene, name: &str, tensors: &BTreeMap<String, Tensor>) {
    let data: Vec<_> = tensors.iter().map(|(name, value)| (name, value, bytes(value))).collect();
    let views = data
        .iter()
        .map(|(name, value, bytes)| (name, TensorView::new(Dtype::F32, value.shape.clone(), bytes).unwrap()));
    let note = HashMap::from([("step".to_owned(), "7".to_owned())]);
    safetensors::serialize_to_file(views, Some(note), &scene.path(name)).unwrap();
}

/// Reads one, in which all are 32-bit numbers.
pub fn read(scene: &Scene, name: &str) -> BTreeMap<String, Tensor> {
    let bytes = std::fs::read(scene.path(name)).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |view: &TensorView<'_>| {
        let (entries, _) = view.data().as_chunks::<4>();
        let entries = entries.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect();
        Tensor::new(view.shape().to_vec(), entries)
    };
    tensors.iter().map(|(name, view)| (name.to_owned(), numbers(&view))).collect()
}
