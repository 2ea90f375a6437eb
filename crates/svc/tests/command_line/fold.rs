//! `svc fold`.

use crate::scene::Scene;

#[test]
fn what_folds_and_what_would_let_the_rest_fold() {
    let scene = Scene::new();
    insta::assert_snapshot!("fold-all", scene.run("fold tiny.svspec --variant hg"));
    insta::assert_snapshot!("fold-some", scene.run("fold tiny.svspec --variant qk"));
    scene.edited("tied.svspec", "    context = 16", "    context = 16\n    tie_embeddings = on");
    insta::assert_snapshot!("fold-tied", scene.run("fold tied.svspec"));
    insta::assert_snapshot!("fold-no-such-target", scene.run("fold tiny.svspec --variant qx"));
}

#[test]
fn the_same_as_data() {
    let output = Scene::new().svc("fold tiny.svspec --variant qk --format json").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["format_version"], 1);
    assert_eq!(json["num_folding"], 3);
    let q = &json["scales"].as_array().unwrap().iter().find(|s| s["path"] == "attn.q.out_scale").unwrap();
    assert_eq!(q["folds"], serde_json::Value::Null);
    assert_eq!(q["cures"][0]["folds"], "into the rows of attn.q.weight");
}
