//! Configs to specs and back, and configs as published: the counts of parameters are those of the models.

use super::{Family, families, family, fit, model_type, spec};
use crate::outcome::Faulty;
use serde_json::{Map, Value, json};

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("{value} is no object") };
    map
}

/// The number of parameters of the model that a config describes.
fn num_params(config: Value) -> u64 {
    let config = object(config);
    let family = family(model_type(&config).unwrap()).unwrap();
    let checked = fit::compile(&spec(&family, "published", &config).unwrap()).unwrap();
    svspec_ir::cost::cost(checked.model()).num_params
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

/// A config of the family with no field at its default.
fn unusual(family: &Family) -> Map<String, Value> {
    let mut config = family.small.clone();
    config.insert("rms_norm_eps".into(), json!(3e-5));
    config.insert("rope_theta".into(), json!(12345.0));
    config.insert("head_dim".into(), json!(24));
    config.insert("tie_word_embeddings".into(), json!(true));
    for switch in ["attention_bias", "mlp_bias"] {
        if family.defaults.contains_key(switch) {
            config.insert(switch.into(), json!(true));
        }
    }
    config
}

#[test]
fn an_imported_config_is_exported_as_it_was() {
    for family in families().unwrap() {
        for config in [family.small.clone(), unusual(&family)] {
            let checked = fit::compile(&spec(&family, "round", &config).unwrap()).unwrap();
            let again = fit(&checked, &family).unwrap().config;
            for (field, value) in &config {
                let same = again.get(field).is_some_and(|other| match (value.as_f64(), other.as_f64()) {
                    (Some(a), Some(b)) => a.to_bits() == b.to_bits(),
                    (None, _) | (_, None) => value == other,
                });
                assert!(same, "{} {field}: {value} became {:?}", family.model_type, again.get(field));
            }
        }
    }
}

#[test]
fn both_generations_of_configs_mean_the_same() {
    let family = family("llama").unwrap();
    let mut old = family.small.clone();
    old.insert("rope_scaling".into(), Value::Null);
    let mut new = family.small.clone();
    let theta = new.remove("rope_theta").unwrap();
    new.insert("rope_parameters".into(), json!({ "rope_type": "default", "rope_theta": theta }));
    assert_eq!(spec(&family, "a", &old).unwrap(), spec(&family, "a", &new).unwrap());
}

#[test]
fn what_a_spec_cannot_say_is_named() {
    let family = family("llama").unwrap();
    let mut config = family.small.clone();
    config.remove("vocab_size");
    config.insert("hidden_act".into(), json!("gelu"));
    config.insert("rope_scaling".into(), json!({ "rope_type": "llama3", "factor": 8.0 }));
    config.insert("num_experts".into(), json!(8));
    config.insert("num_hidden_layers".into(), json!("four"));
    let error = spec(&family, "faulty", &config).unwrap_err();
    let Faulty(faults) = error.downcast_ref().unwrap();
    for part in [
        "`vocab_size` is missing",
        "`hidden_act` is \"gelu\": only \"silu\" is known",
        "`rope_type` is \"llama3\": only \"default\" is known",
        "`rope_scaling.factor` is unknown",
        "`num_experts` is unknown",
        "`num_hidden_layers` is \"four\", not a number",
    ] {
        assert!(faults.contains(part), "{part}:\n{faults}");
    }
}
