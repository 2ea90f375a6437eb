//! `svc export`: a run made by hand, exported, read back by its config and its names, and evaluated: the logits stay.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a run that cannot be set up fails its test"
)]

use crate::scene::{Scene, TINY};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use svspec_diagnostics::Sources;
use svspec_ir::CheckedModel;
use svspec_ir::eval::{Tensor, Values, forward, random_tokens, random_values};

const TARGETS: &str = "
/// HG, a vector after each map, and OR.
variant mixed of tiny with hg {
    attn.{q, k, v}, mlp.{gate, up, down} : out scale
    scale : magnitude_direction
}
/// Its vectors after q and k have a place in Qwen3 and no weight takes them.
variant qk_hg of tiny with hg, qk {}
variant normed of tiny { mlp.down : out normalize + scale }
";

fn compile(text: &str, target: &str) -> CheckedModel {
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
fn run(scene: &Scene, folder: &str, target: &str) -> (CheckedModel, Values) {
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
        "format_version": 1, "spec": "spec/tiny.svspec", "target": target, "without": [], "data": null
    });
    scene.write(&format!("{folder}/svc.json"), record.to_string());
    scene.write(&format!("{folder}/checkpoint/state.json"), "{}");
    let data: Vec<_> =
        values.iter().map(|(&id, value)| (model.instance_name(id), value, bytes(value))).collect();
    let views = data
        .iter()
        .map(|(name, value, bytes)| (name, TensorView::new(Dtype::F32, value.shape.clone(), bytes).unwrap()));
    let file = scene.path(&format!("{folder}/checkpoint/model.safetensors"));
    safetensors::serialize_to_file(views, None, &file).unwrap();
    (checked, values)
}

/// The exported model, as its own config and names describe it.
fn read_back(scene: &Scene, folder: &str) -> (CheckedModel, Values) {
    assert!(
        scene.run(&format!("import {folder}/config.json -o {folder}/back.svspec")).starts_with("exit code 0")
    );
    let checked = compile(&scene.read(&format!("{folder}/back.svspec")), "back");
    let mut values = Values::new();
    let mut num_files = 0;
    for entry in std::fs::read_dir(scene.path(folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "safetensors") {
            continue;
        }
        num_files += 1;
        let bytes = std::fs::read(path).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        for foreign in checked.model().foreign_instances() {
            let Ok(tensor) = tensors.tensor(&foreign.name) else { continue };
            assert_eq!(tensor.shape(), foreign.shape);
            let (entries, _) = tensor.data().as_chunks::<4>();
            let entries: Vec<f64> =
                entries.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect();
            for (piece, data) in foreign.pieces.iter().zip(foreign.split(&entries).unwrap()) {
                let dims = &checked.model().params[piece.instance.param.0].dims;
                values.insert(piece.instance, Tensor::new(svspec_ir::dim::sizes(dims), data));
            }
        }
    }
    assert!(num_files > 0 && values.len() == checked.model().instances().len());
    (checked, values)
}

#[test]
fn the_logits_stay() {
    let scene = Scene::new();
    for (target, family) in [("tiny", "llama"), ("hg", "llama"), ("mixed", "llama"), ("qk_hg", "qwen3")] {
        let (ours, values) = run(&scene, target, target);
        let export = scene.run(&format!("export {target} --to {target}_out"));
        assert!(export.starts_with("exit code 0") && export.contains(&format!("as {family}")), "{export}");
        let (theirs, exported) = read_back(&scene, &format!("{target}_out"));
        let tokens = random_tokens(ours.model(), 2, 6, 3);
        let expected = forward(ours.model(), &values, &tokens, &tokens).logits;
        let found = forward(theirs.model(), &exported, &tokens, &tokens).logits;
        let largest = expected.data.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        let furthest =
            expected.data.iter().zip(&found.data).fold(0.0_f64, |most, (a, b)| most.max((a - b).abs()));
        // The folded weights are rounded to 32 bits once.
        assert!(furthest < 2e-6 * largest, "{target}: {furthest} of {largest}");
    }
    insta::assert_snapshot!("export", scene.run("export mixed --to mixed_again"));
    insta::assert_snapshot!("export-config", scene.read("qk_hg_out/config.json"));
}

#[test]
fn large_models_are_written_in_shards() {
    let scene = Scene::new();
    run(&scene, "run", "tiny");
    let export = scene.run("export run --to out --shard-size 20000");
    insta::assert_snapshot!("export-shards", export);
    read_back(&scene, "out");
    let index: serde_json::Value =
        serde_json::from_str(&scene.read("out/model.safetensors.index.json")).unwrap();
    let num_entries = svspec_ir::cost::cost(compile(TINY, "tiny").model()).num_params;
    assert_eq!(index["metadata"]["total_size"], 4 * num_entries);
    assert!(scene.path("out").join(index["weight_map"]["lm_head.weight"].as_str().unwrap()).is_file());
}

#[test]
fn what_cannot_be_exported_says_why() {
    let scene = Scene::new();
    run(&scene, "normed", "normed");
    insta::assert_snapshot!("export-no-family", scene.run("export normed --to out"));
    assert!(!scene.path("out").exists());
    run(&scene, "qk", "qk_hg");
    insta::assert_snapshot!("export-other-family", scene.run("export qk --to out --family llama"));
    insta::assert_snapshot!("export-no-such-family", scene.run("export qk --to out --family lama"));
    insta::assert_snapshot!("export-no-run", scene.run("export nothing --to out"));
    insta::assert_snapshot!("export-onto-a-run", scene.run("export qk --to normed"));
    std::fs::remove_file(scene.path("qk/checkpoint/state.json")).unwrap();
    insta::assert_snapshot!("export-no-checkpoint", scene.run("export qk --to out"));
}
