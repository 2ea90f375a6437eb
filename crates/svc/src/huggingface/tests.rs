//! Configs to specs and back, and configs as published: the counts of parameters are those of the models.

use super::fit::{compile, fit};
use super::{Family, Found, families, family, model_type, names, search, spec};
use crate::outcome::Faulty;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use svspec_ir::CheckedModel;

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("{value} is no object") };
    map
}

/// The number of parameters of the model that a config describes.
fn num_params(config: Value) -> u64 {
    let config = object(config);
    let family = family(model_type(&config).unwrap()).unwrap();
    let checked = compile(&spec(&family, "published", &config).unwrap()).unwrap();
    svspec_ir::cost::cost(checked.model(), checked.assignments()).num_params
}

#[test]
fn published_configs_have_the_published_counts() {
    let llama_3_8b = json!({
        "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
        "bos_token_id": 128_000, "eos_token_id": 128_001, "hidden_act": "silu", "hidden_size": 4096,
        "initializer_range": 0.02, "intermediate_size": 14336, "max_position_embeddings": 8192,
        "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
        "pretraining_tp": 1, "rms_norm_eps": 1e-5, "rope_scaling": null, "rope_theta": 500_000.0,
        "tie_word_embeddings": false, "torch_dtype": "bfloat16", "transformers_version": "4.40.0.dev0",
        "use_cache": true, "vocab_size": 128_256
    });
    assert_eq!(num_params(llama_3_8b), 8_030_261_248);
    let mistral_7b = json!({
        "architectures": ["MistralForCausalLM"], "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
        "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336,
        "max_position_embeddings": 32768, "model_type": "mistral", "num_attention_heads": 32,
        "num_hidden_layers": 32, "num_key_value_heads": 8, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "sliding_window": 4096, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
        "transformers_version": "4.34.0.dev0", "use_cache": true, "vocab_size": 32000
    });
    assert_eq!(num_params(mistral_7b), 7_241_732_096);
    let qwen2_half_b = json!({
        "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151_643,
        "eos_token_id": 151_643, "hidden_act": "silu", "hidden_size": 896, "initializer_range": 0.02,
        "intermediate_size": 4864, "max_position_embeddings": 131_072, "max_window_layers": 24,
        "model_type": "qwen2", "num_attention_heads": 14, "num_hidden_layers": 24, "num_key_value_heads": 2,
        "rms_norm_eps": 1e-6, "rope_theta": 1_000_000.0, "sliding_window": 131_072,
        "tie_word_embeddings": true, "torch_dtype": "bfloat16", "transformers_version": "4.40.1",
        "use_cache": true, "use_sliding_window": false, "vocab_size": 151_936
    });
    assert_eq!(num_params(qwen2_half_b), 494_032_768);
    let qwen3_small = json!({
        "architectures": ["Qwen3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
        "bos_token_id": 151_643, "eos_token_id": 151_645, "head_dim": 128, "hidden_act": "silu",
        "hidden_size": 1024, "initializer_range": 0.02, "intermediate_size": 3072,
        "max_position_embeddings": 40960, "max_window_layers": 28, "model_type": "qwen3",
        "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8, "rms_norm_eps": 1e-6,
        "rope_scaling": null, "rope_theta": 1_000_000, "sliding_window": null, "tie_word_embeddings": true,
        "torch_dtype": "bfloat16", "transformers_version": "4.51.0", "use_cache": true,
        "use_sliding_window": false, "vocab_size": 151_936
    });
    assert_eq!(num_params(qwen3_small), 596_049_920);
}

/// A spec of this project.
fn committed(file: &Path, target: &str) -> CheckedModel {
    let spec = crate::spec::Spec::open(&crate::read::Origin::Disk, &file.to_string_lossy()).unwrap();
    spec.compile(target).unwrap()
}

/// Holds the spec that a config becomes against ours, op by op, tensor by tensor. The number of its parameters.
fn held_against(config: &Value, file: &Path, target: &str) -> u64 {
    let config = object(config.clone());
    let family = family(model_type(&config).unwrap()).unwrap();
    let imported = compile(&spec(&family, "imported", &config).unwrap()).unwrap();
    let ours = committed(file, target);
    let found = svspec_ir::correspondence::correspondence(&imported, ours.model());
    let found = found.unwrap_or_else(|difference| {
        panic!("{target} of {}: the config does not state what the spec does: {difference}", file.display())
    });
    assert!(found.folded.is_empty(), "{target}");
    let tensors = |checked: &CheckedModel| {
        let tensors = checked.model().foreign_instances().into_iter();
        tensors.map(|tensor| (tensor.name, tensor.shape)).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(tensors(&imported), tensors(&ours), "{target}");
    svspec_ir::cost::cost(imported.model(), imported.assignments()).num_params
}

#[test]
fn configs_of_the_specs_are_imported_as_the_specs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: PathBuf| -> Option<Value> {
        Some(serde_json::from_str(&std::fs::read_to_string(path).ok()?).unwrap())
    };
    let counts = read(root.join("tests/parity/counts.json")).unwrap();
    let mut num_held = 0;
    for entry in std::fs::read_dir(root.join("tests/parity/families")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let is_known = |config: &Value| names().iter().any(|name| config["model_type"] == **name);
        let tiny = folder.join(format!("{name}.svspec"));
        if let Some(config) = read(folder.join("config.json")).filter(is_known).filter(|_| tiny.is_file()) {
            held_against(&config, &tiny, &format!("{name}_tiny"));
            num_held += 1;
        }
        let Some(Value::Object(sizes)) = read(folder.join("full_size.json")) else { continue };
        for (target, config) in sizes.iter().filter(|(_, config)| is_known(config)) {
            let num_params = held_against(config, &root.join(format!("specs/{name}.svspec")), target);
            assert_eq!(counts[&name][target], num_params, "{target}");
            num_held += 1;
        }
    }
    assert!(num_held >= 30, "{num_held}");
}

/// Configs of the family with fields away from their defaults.
fn unusual(family: &Family) -> Vec<Map<String, Value>> {
    let with = |fields: Value| {
        let mut config = family.small.clone();
        config.extend(object(fields).into_iter().filter(|(field, _)| family.reads(field)));
        config
    };
    let numbers = with(json!({
        "rms_norm_eps": 3e-5, "layer_norm_epsilon": 3e-5, "rope_theta": 12345.0, "head_dim": 24,
        "tie_word_embeddings": !family.fields.defaults.get("tie_word_embeddings").is_some_and(|tied| *tied == true),
        "num_key_value_heads": 1, "attention_bias": true, "mlp_bias": true,
        "query_pre_attn_scalar": 7, "attn_logit_softcapping": 2.5, "final_logit_softcapping": null, "clip_qkv": 6.5,
        "rope_local_base_freq": 123.0, "norm_topk_prob": false, "partial_rotary_factor": 0.5, "n_inner": 77,
    }));
    let words = with(json!({
        "hidden_act": "gelu_pytorch_tanh", "activation_function": "relu", "mlp_only_layers": [1, 3],
        "use_sliding_window": true, "sliding_window": 24, "max_window_layers": 1,
    }));
    let layers = with(json!({
        "use_sliding_window": true, "sliding_window": 24, "num_hidden_layers": 5,
        "layer_types": ["full_attention", "sliding_attention", "full_attention", "full_attention", "sliding_attention"],
    }));
    let mut configs = vec![family.small.clone(), numbers, words, layers];
    let factors = |step: f64| (0..16).map(|index| 1.0 + step * f64::from(index)).collect::<Vec<f64>>();
    for scaling in [
        json!({ "rope_type": "linear", "factor": 3.0 }),
        json!({ "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.5, "high_freq_factor": 5.0,
            "original_max_position_embeddings": 64 }),
        json!({ "rope_type": "yarn", "factor": 2.5, "original_max_position_embeddings": 48, "beta_fast": 16.0 }),
        json!({ "rope_type": "longrope", "short_factor": factors(0.1), "long_factor": factors(0.7),
            "original_max_position_embeddings": 48 }),
        json!({ "rope_type": "longrope", "short_factor": factors(0.1), "long_factor": factors(0.7),
            "original_max_position_embeddings": 128 }),
    ] {
        let kind = scaling["rope_type"].as_str().unwrap();
        let is_open = !family.fields.fixed.contains_key("rope_type");
        if is_open && family.fields.choices.get("rope_type").is_some_and(|kinds| kinds.contains_key(kind)) {
            let mut config = family.small.clone();
            config.insert("rope_scaling".into(), scaling);
            configs.push(config);
        }
    }
    configs
}

#[test]
fn an_imported_config_is_exported_as_the_same_model() {
    let mut num_different = 0;
    for family in families().unwrap() {
        let mut texts = BTreeSet::new();
        for config in unusual(&family) {
            let text = spec(&family, "family", &config).unwrap();
            let checked = compile(&text).unwrap_or_else(|fault| panic!("{fault}\n{text}"));
            let fit = fit(&checked, &family).unwrap();
            let fit =
                fit.unwrap_or_else(|misfit| panic!("{}: {}\n{text}", family.model_type, misfit.words()));
            assert!(fit.correspondence.folded.is_empty());
            // The config that was written states the same model, in the same words.
            let again = spec(&family, "family", &fit.config).unwrap();
            let theirs = compile(&again).unwrap();
            assert_eq!(theirs.model().params.len(), checked.model().params.len(), "{again}");
            let back = svspec_ir::correspondence::correspondence(&theirs, checked.model());
            assert!(back.is_ok(), "{}: {}\n{again}", family.model_type, back.unwrap_err());
            texts.insert(text);
        }
        num_different += texts.len();
    }
    assert!(num_different > 60, "{num_different}");
}

#[test]
fn a_config_that_transformers_refuses_is_not_written() {
    let llama = family("llama").unwrap();
    let mut config = llama.small.clone();
    config.extend(object(json!({ "num_attention_heads": 5, "num_key_value_heads": 5, "head_dim": 32 })));
    let checked = compile(&spec(&llama, "odd", &config).unwrap()).unwrap();
    assert_eq!(
        fit(&checked, &llama).unwrap().unwrap_err().words(),
        "transformers refuses a `hidden_size` of 128, which is no multiple of `num_attention_heads`, 5"
    );
    // Mistral's is the same function, and has no such condition.
    let Found::Fits(family, _) = search(&checked, None).unwrap() else { panic!("no family") };
    assert_eq!(family.model_type, "mistral");

    let gemma = super::family("gemma2").unwrap();
    let mut config = gemma.small.clone();
    config.insert("query_pre_attn_scalar".into(), json!(0.25));
    let checked = compile(&spec(&gemma, "odd", &config).unwrap()).unwrap();
    assert_eq!(
        fit(&checked, &gemma).unwrap().unwrap_err().words(),
        "transformers refuses a `query_pre_attn_scalar` of 0.25, which is not whole"
    );
}

#[test]
fn both_generations_of_configs_mean_the_same() {
    let family = family("llama").unwrap();
    let mut old = family.small.clone();
    old.insert("rope_theta".into(), json!(500));
    old.insert("rope_scaling".into(), json!({ "type": "linear", "factor": 2 }));
    let mut new = family.small.clone();
    new.insert(
        "rope_parameters".into(),
        json!({ "rope_type": "linear", "rope_theta": 500.0, "factor": 2.0 }),
    );
    assert_eq!(spec(&family, "a", &old).unwrap(), spec(&family, "a", &new).unwrap());
}

#[test]
fn what_a_spec_cannot_say_is_named() {
    let faults = |family_name: &str, change: &dyn Fn(&mut Map<String, Value>)| {
        let family = family(family_name).unwrap();
        let mut config = family.small.clone();
        change(&mut config);
        let error = spec(&family, "faulty", &config).unwrap_err();
        let Faulty(faults) = error.downcast_ref().unwrap();
        faults.clone()
    };
    insta::assert_snapshot!(faults("llama", &|config| {
        config.remove("vocab_size");
        config.insert("hidden_act".into(), json!("mish"));
        config.insert("rope_scaling".into(), json!({ "rope_type": "dynamic", "factor": 8.0 }));
        config.insert("num_experts".into(), json!(8));
        config.insert("num_hidden_layers".into(), json!("four"));
        config.insert("attention_bias".into(), json!(1));
        config.insert("rms_norm_eps".into(), Value::Null);
    }));
    insta::assert_snapshot!(faults("qwen3", &|config| {
        config
            .insert("rope_scaling".into(), json!({ "type": "yarn", "mscale": 0.7, "low_freq_factor": 2.0 }));
        config.insert("rope_parameters".into(), json!({ "rope_type": "default" }));
        config.insert("layer_types".into(), json!(["full_attention", "chunked_attention"]));
    }));
    insta::assert_snapshot!(faults("gemma3_text", &|config| {
        config.insert("use_bidirectional_attention".into(), json!(true));
        config.insert(
            "rope_parameters".into(),
            json!({
                "sliding_attention": { "rope_type": "linear", "factor": 2.0 }, "rope_theta": 3.0
            }),
        );
    }));
}
