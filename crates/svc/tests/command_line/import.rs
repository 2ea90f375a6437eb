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
    scene.write(
        "classifier.json",
        CONFIG.replace("\"use_cache\": true", "\"architectures\": [\"LlamaForSequenceClassification\"]"),
    );
    scene.write("half.json", CONFIG.replace("\"num_hidden_layers\": 2,", "\"num_hidden_layers\": 2.5,"));
    for name in ["classifier", "half", "odd", "other", "empty", "list", "missing"] {
        insta::assert_snapshot!(format!("import-{name}"), scene.run(&format!("import {name}.json")));
    }
}

#[test]
fn factors_of_long_texts_are_taken_where_the_context_is_long() {
    let scene = Scene::new();
    let config = r#"{ "model_type": "phi3", "vocab_size": 256, "hidden_size": 16, "intermediate_size": 24,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64,
        "original_max_position_embeddings": 16,
        "rope_scaling": { "type": "longrope", "short_factor": [1.0, 1.1], "long_factor": [1.05, 4.7] } }"#;
    let short = config.replace("\"max_position_embeddings\": 64", "\"max_position_embeddings\": 16");
    for (name, config, factors) in [("long", config, "(1.05, 4.7)"), ("short", &short, "(1, 1.1)")] {
        scene.write(&format!("{name}.json"), config);
        let said = scene.run(&format!("import {name}.json"));
        assert!(said.contains(factors), "{said}");
        assert_eq!(said.contains("sqrt(1 + log(64 / 16) / log(16))"), name == "long", "{said}");
        assert!(scene.run(&format!("import {name}.json -o {name}.svspec")).starts_with("exit code 0"));
        assert!(scene.run(&format!("check {name}.svspec")).starts_with("exit code 0"));
    }
    scene.write("none.json", config.replace(r#", "long_factor": [1.05, 4.7]"#, ""));
    let said = scene.run("import none.json");
    assert!(said.contains("long_factor` is missing"), "{said}");
}

#[test]
fn dropout_is_named_where_there_is_any() {
    let scene = Scene::new();
    for (rate, is_some) in [("0.1", true), ("0", false), ("0.0", false), ("null", false)] {
        scene.write(
            "config.json",
            CONFIG.replace("\"use_cache\": true", &format!("\"attention_dropout\": {rate}")),
        );
        let said = scene.run("import config.json");
        assert_eq!(said.matches("(attention_dropout = 0.1)").count(), if is_some { 2 } else { 0 }, "{said}");
        assert!(said.starts_with("exit code 0"), "{said}");
    }
}
