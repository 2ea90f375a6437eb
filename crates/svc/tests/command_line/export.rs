//! `svc export`: a run made by hand, exported, read back by its config and its names, and evaluated: the logits stay.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a run that cannot be set up fails its test"
)]

use crate::scene::{Scene, TINY};
use crate::trained::{compile, run};
use safetensors::{Dtype, SafeTensors};
use svspec_ir::CheckedModel;
use svspec_ir::eval::{Tensor, Values, forward, random_tokens};

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
    run(&scene, "apart", "apart");
    insta::assert_snapshot!("export-documents", scene.run("export apart --to apart_out"));
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
    let checked = compile(TINY, "tiny");
    let num_entries = svspec_ir::cost::cost(checked.model(), checked.assignments()).num_params;
    assert_eq!(index["metadata"]["total_size"], 4 * num_entries);
    assert!(scene.path("out").join(index["weight_map"]["lm_head.weight"].as_str().unwrap()).is_file());
}

#[test]
fn numbers_are_rounded_to_bf16_where_that_is_asked_for() {
    let scene = Scene::new();
    run(&scene, "run", "mixed");
    scene.run("export run --to exact");
    scene.run("export run --to half --dtype bf16");
    let read = |folder: &str| std::fs::read(scene.path(&format!("{folder}/model.safetensors"))).unwrap();
    let (exact, half) = (read("exact"), read("half"));
    let (exact, half) = (SafeTensors::deserialize(&exact).unwrap(), SafeTensors::deserialize(&half).unwrap());
    assert_eq!(exact.len(), half.len());
    for (name, tensor) in half.iter() {
        assert_eq!(tensor.dtype(), Dtype::BF16);
        let whole = exact.tensor(name).unwrap();
        assert_eq!(whole.shape(), tensor.shape());
        for (half, whole) in tensor.data().as_chunks::<2>().0.iter().zip(whole.data().as_chunks::<4>().0) {
            let half = f32::from_bits(u32::from(u16::from_le_bytes(*half)) << 16);
            let whole = f32::from_le_bytes(*whole);
            // Eight bits of significand: half a unit in the last place is a 256th at most.
            assert!((half - whole).abs() <= whole.abs() / 256.0, "{name}: {whole} became {half}");
        }
    }
    assert!(scene.read("half/config.json").contains("\"dtype\": \"bfloat16\""));
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
