//! `svc import`.

use crate::scene::Scene;

const CONFIG: &str = r#"{ "model_type": "llama", "vocab_size": 256, "hidden_size": 16, "intermediate_size": 24,
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 32,
    "rope_parameters": { "rope_type": "default", "rope_theta": 500000.0 }, "use_cache": true }"#;

#[test]
fn a_config_becomes_a_spec_that_checks() {
    let scene = Scene::new();
    scene.write("config.json", CONFIG);
    insta::assert_snapshot!("import", scene.run("import config.json"));
    assert!(scene.run("import config.json -o mine.svspec").starts_with("exit code 0"));
    assert!(scene.read("mine.svspec").contains("model mine {"));
    assert!(scene.run("check mine.svspec").starts_with("exit code 0"));
    assert!(scene.run("fmt --check mine.svspec").starts_with("exit code 0"));
    insta::assert_snapshot!("import-twice", scene.run("import config.json -o mine.svspec"));
}

#[test]
fn what_cannot_be_imported_says_why() {
    let scene = Scene::new();
    scene.write("odd.json", CONFIG.replace("\"use_cache\": true", "\"num_experts\": 8"));
    scene.write("other.json", CONFIG.replace("llama", "llamma"));
    scene.write("empty.json", "{}");
    scene.write("list.json", "[]");
    for name in ["odd", "other", "empty", "list", "missing"] {
        insta::assert_snapshot!(format!("import-{name}"), scene.run(&format!("import {name}.json")));
    }
}
