//! `svc migrate`: a run made by hand, carried over and evaluated: the logits stay, and so does the old run.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a run that cannot be set up fails its test"
)]

use crate::scene::{Scene, TINY};
use crate::trained::{self, TARGETS, compile};
use serde_json::Value;
use std::collections::BTreeMap;
use svspec_ir::eval::{Tensor, Values, forward, random_tokens};
use svspec_ir::{CheckedModel, dim};

const OTHERS: &str = "
variant or of tiny { scale : magnitude_direction }
variant positive of tiny { attn.{q, k} : out normalize(head) + scale(exp_magnitude_direction) }
variant longer of tiny { context = 32 }
variant unit_q of tiny { optimizer { unit rows on attn.q } }
variant unit_q_longer of unit_q { context = 32 }
variant unit_q_hg of unit_q with hg {}
";

/// A folder with `tiny.svspec` and, in `all.svspec`, more targets of it.
fn scene() -> Scene {
    let scene = Scene::new();
    scene.write("all.svspec", format!("{TINY}{TARGETS}{OTHERS}"));
    scene
}

/// Every file of a folder.
fn files(scene: &Scene, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(scene.path(folder)).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{folder}/{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            found.extend(files(scene, &name));
        } else {
            found.insert(name, std::fs::read(path).unwrap());
        }
    }
    found
}

/// The values of a run of `target`, and the model.
fn values(scene: &Scene, folder: &str, target: &str) -> (CheckedModel, Values) {
    let checked = compile(&scene.read(&format!("{folder}/spec/all.svspec")), target);
    let tensors = trained::read(scene, &format!("{folder}/checkpoint/model.safetensors"));
    let model = checked.model();
    let mut values = Values::new();
    for tensor in model.instances() {
        let value = tensors[&model.instance_name(tensor)].clone();
        assert_eq!(value.shape, dim::sizes(&model.params[tensor.param.0].dims));
        values.insert(tensor, value);
    }
    assert_eq!(values.len(), tensors.len());
    (checked, values)
}

fn logits((checked, values): &(CheckedModel, Values)) -> Tensor {
    let tokens = random_tokens(checked.model(), 2, 6, 3);
    forward(checked.model(), values, &tokens, &tokens).logits
}

/// Of values that were rounded to 32 bits once.
#[track_caller]
fn assert_near(expected: &Tensor, found: &Tensor) {
    let largest = expected.data.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    let furthest =
        expected.data.iter().zip(&found.data).fold(0.0_f64, |most, (a, b)| most.max((a - b).abs()));
    assert!(furthest < 2e-6 * largest, "{furthest} of {largest}");
}

#[test]
fn a_run_is_carried_over_and_stays_as_it_was() {
    let scene = scene();
    let expected = logits(&trained::run(&scene, "old", "tiny"));
    let before = files(&scene, "old");
    for target in ["tiny", "hg", "mixed", "or", "longer"] {
        let said = scene.run(&format!("migrate old --to all.svspec --variant {target} --out new_{target}"));
        assert!(said.starts_with("exit code 0"), "{said}");
        assert_near(&expected, &logits(&values(&scene, &format!("new_{target}"), target)));
    }
    assert!(before == files(&scene, "old"));
    let back = scene.run("migrate new_mixed --to all.svspec --out back");
    assert!(back.starts_with("exit code 0"), "{back}");
    assert_near(&expected, &logits(&values(&scene, "back", "tiny")));
}

#[test]
fn rows_are_not_brought_to_norm_1_on_the_way_but_may_be_there() {
    let scene = scene();
    let (checked, values) = trained::run(&scene, "old", "tiny");
    insta::assert_snapshot!(
        "migrate-refused-unit",
        scene.run("migrate old --to all.svspec --variant unit_q --out no")
    );
    assert!(!scene.path("no/checkpoint").exists());
    // The same run, its rows of norm 1.
    let mut values: BTreeMap<String, Tensor> =
        values.into_iter().map(|(tensor, value)| (checked.model().instance_name(tensor), value)).collect();
    values.get_mut("layers.0.attn.q.weight").unwrap().normalize(2..3);
    trained::write(&scene, "old/checkpoint/model.safetensors", &values);
    for target in ["unit_q", "unit_q_longer"] {
        let said = scene.run(&format!("migrate old --to all.svspec --variant {target} --out {target}"));
        assert!(said.starts_with("exit code 0"), "{said}");
    }
    let on = scene.run("migrate unit_q --to all.svspec --variant unit_q_hg --out unit_hg");
    assert!(on.starts_with("exit code 0"), "{on}");
}

#[test]
fn what_is_written_goes_on_as_the_new_spec() {
    let scene = scene();
    trained::run(&scene, "old", "tiny");
    insta::assert_snapshot!("migrate", scene.run("migrate old --to all.svspec --variant hg"));
    let old: Value = serde_json::from_str(&scene.read("old/checkpoint/state.json")).unwrap();
    let mut new: Value = serde_json::from_str(&scene.read("runs/hg-001/checkpoint/state.json")).unwrap();
    assert_eq!(new["model"], "hg");
    // The hash that the generated crate knows its spec by.
    assert!(scene.read("runs/hg-001/source/src/params.rs").contains(new["spec_hash"].as_str().unwrap()));
    for changed in ["model", "spec_hash"] {
        new[changed] = old[changed].clone();
    }
    assert_eq!(new, old);
    let first: Value = serde_json::from_str(scene.read("runs/hg-001/metrics.jsonl").trim()).unwrap();
    assert_eq!((first["step"].as_u64(), first["migrated_from"]["target"].as_str()), (Some(7), Some("tiny")));
    let recorded: Value = serde_json::from_str(&scene.read("runs/hg-001/svc.json")).unwrap();
    assert_eq!(
        (recorded["spec"].as_str(), recorded["target"].as_str()),
        (Some("spec/all.svspec"), Some("hg"))
    );

    let before = trained::read(&scene, "old/checkpoint/optimizer.safetensors");
    let after = trained::read(&scene, "runs/hg-001/checkpoint/optimizer.safetensors");
    let kept = [
        "layers.0.attn.q.weight.first_moment",
        "final_norm.scale.second_moment",
        "embed.weight.step",
        "rng.cpu",
    ];
    for name in kept {
        assert_eq!(before[name], after[name], "{name}");
    }
    let restarted = ["layers.0.attn.q.in_scale.first_moment", "layers.0.mlp.up.in_scale.second_moment"];
    for name in restarted {
        assert_eq!(after[name], Tensor::zeros(&[16]), "{name}");
    }
    assert_eq!(after["layers.0.attn.q.in_scale.step"], Tensor::zeros(&[]));
    assert_eq!(after.len(), 3 * 15 + 1);
}

#[test]
fn moments_of_folded_weights_are_rescaled() {
    let scene = scene();
    let (checked, values) = trained::run(&scene, "old", "hg");
    let said = scene.run("migrate old --to all.svspec --variant tiny --out new");
    insta::assert_snapshot!("migrate-fold", said);
    let gamma = values
        .iter()
        .find(|(tensor, _)| checked.model().instance_name(**tensor) == "layers.0.attn.q.in_scale");
    let gamma = gamma.unwrap().1;
    let before = trained::read(&scene, "old/checkpoint/optimizer.safetensors");
    let after = trained::read(&scene, "new/checkpoint/optimizer.safetensors");
    for (kind, power) in [("first_moment", 1), ("second_moment", 2)] {
        let name = format!("layers.0.attn.q.weight.{kind}");
        for (index, (was, is)) in before[&name].data.iter().zip(&after[&name].data).enumerate() {
            let expected = was / gamma.data[index % 16].powi(power);
            assert!((is - expected).abs() < 1e-6 * expected.abs(), "{name} {index}: {is}, not {expected}");
        }
    }
}

#[test]
fn a_plan_writes_nothing() {
    let scene = scene();
    trained::run(&scene, "old", "tiny");
    insta::assert_snapshot!("migrate-plan", scene.run("migrate old --to all.svspec --variant or --plan"));
    assert!(!scene.path("runs").exists());
}

#[test]
fn settings_of_training_are_the_new_specs() {
    let scene = scene();
    trained::run(&scene, "old", "tiny");
    scene.edited("longer.svspec", "steps    = 20", "steps    = 40");
    scene.edited("shorter.svspec", "steps    = 20", "steps    = 5");
    let said = scene.run("migrate old --to longer.svspec --out longer");
    assert!(said.contains("after step 7 of 40"), "{said}");
    insta::assert_snapshot!("migrate-done", scene.run("migrate old --to shorter.svspec --out shorter"));
}

#[test]
fn where_there_is_no_map_the_reasons_are_given() {
    let scene = scene();
    trained::run(&scene, "old", "tiny");
    insta::assert_snapshot!("migrate-refused-norm", scene.run("migrate old --to all.svspec --variant qk"));
    scene.edited("wider.svspec", "hidden = 24", "hidden = 32");
    insta::assert_snapshot!("migrate-refused-size", scene.run("migrate old --to wider.svspec"));
    scene.edited("deeper.svspec", "1 * layer", "2 * layer");
    insta::assert_snapshot!("migrate-refused-depth", scene.run("migrate old --to deeper.svspec"));
    scene.edited("tied.svspec", "width   = 16", "width   = 16\n    tie_embeddings = on");
    insta::assert_snapshot!("migrate-refused-tied", scene.run("migrate old --to tied.svspec"));
    trained::run(&scene, "qk", "qk");
    let mut weights = trained::read(&scene, "qk/checkpoint/model.safetensors");
    weights.get_mut("layers.0.attn.k.out_scale").unwrap().data[5] = -0.5;
    trained::write(&scene, "qk/checkpoint/model.safetensors", &weights);
    insta::assert_snapshot!(
        "migrate-refused-sign",
        scene.run("migrate qk --to all.svspec --variant positive")
    );
    assert!(!scene.path("runs").exists());
}

#[test]
fn a_positive_vector_that_does_not_fold_becomes_an_exponential_one() {
    let scene = scene();
    let expected = logits(&trained::run(&scene, "qk", "qk"));
    let said = scene.run("migrate qk --to all.svspec --variant positive --out new");
    assert!(said.starts_with("exit code 0"), "{said}");
    assert_near(&expected, &logits(&values(&scene, "new", "positive")));
}

#[test]
fn what_is_in_the_way_is_said() {
    let scene = scene();
    trained::run(&scene, "old", "tiny");
    insta::assert_snapshot!("migrate-no-run", scene.run("migrate nothing --to all.svspec"));
    insta::assert_snapshot!("migrate-onto-a-run", scene.run("migrate old --to all.svspec --out old"));
    insta::assert_snapshot!("migrate-no-target", scene.run("migrate old --to all.svspec --variant hgg"));
    let mut remembered = trained::read(&scene, "old/checkpoint/optimizer.safetensors");
    remembered.insert("embed.weight.momentum".to_owned(), Tensor::zeros(&[2]));
    trained::write(&scene, "old/checkpoint/optimizer.safetensors", &remembered);
    insta::assert_snapshot!("migrate-unknown-memory", scene.run("migrate old --to all.svspec --out new"));
    assert!(!scene.path("new").exists());
    std::fs::remove_file(scene.path("old/checkpoint/state.json")).unwrap();
    insta::assert_snapshot!("migrate-no-checkpoint", scene.run("migrate old --to all.svspec"));
}
