//! The archive for machines with a GPU, of its small models: what it packs runs on this machine's CPU, and agrees with transformers.

use std::path::Path;
use std::process::Command;
use svspec_generated_tests::run::json;

#[test]
fn a_bundle_tests_and_measures_itself() {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = scratch.parent().unwrap();
    let archive = scratch.join("bundle.tar.gz");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap());
    cargo.args(["run", "--release", "--offline", "--quiet", "--package", "xtask", "--"]);
    cargo.args(["gpu-bundle", "--small", "--out"]).arg(&archive);
    let output =
        cargo.current_dir(env!("CARGO_MANIFEST_DIR")).env("CARGO_TARGET_DIR", target).output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(output.status.success(), "{said}");
    assert!(archive.metadata().unwrap().len() < 64 << 20);

    let results = json(&target.join("gpu-bundle/results/results.json")).unwrap();
    let number = |pointer: &str| results.pointer(pointer).and_then(serde_json::Value::as_f64).unwrap();
    assert!(number("/tests/passed") > 1.0, "{results:#}");
    assert_eq!(results.pointer("/tests/failed").unwrap().as_array().unwrap().len(), 0, "{results:#}");
    for family in ["gpt2", "qwen3", "mixtral"] {
        for what in ["logits", "loss", "gradients", "losses of 20 steps"] {
            let found = |of: &str| number(&format!("/families/{family}/{what}/{of}"));
            // Bits alike would say that one was compared with itself.
            assert!(found("error") > 0.0 || what == "loss", "{results:#}");
            assert!(found("error") <= found("bound"), "{results:#}");
        }
    }
    assert!(
        number("/speeds/nano/0/tokens_per_second") > 0.0 && number("/speeds/nano/1/speed_ratio") > 0.0,
        "{results:#}"
    );
}
