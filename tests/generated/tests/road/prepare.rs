//! `svc prepare`, and `svc train` on what it wrote.

use super::resume::{STEPS, assert_same_bits};
use super::setting::{DESK, stop};
use rustix::process::Signal;
use std::fs;
use svspec_generated_tests::run;

#[test]
fn a_mixture_of_prepared_texts_is_trained_on_and_gone_on_with() {
    DESK.succeed("prepare text.txt --bpe 300 --val-fraction 0.1 -o words").unwrap();
    DESK.succeed("prepare text.txt --tokenizer words/tokenizer.json --val-fraction 0.3 -o others").unwrap();
    let train = |out: &str| {
        format!(
            "train road.svspec --data words@0.75 --data others@0.25 --device cpu --steps {STEPS} --out {out}"
        )
    };
    DESK.succeed(&train("mixture")).unwrap();
    let summary = run::json(&DESK.path("mixture/summary.json")).unwrap();
    let val_loss = summary["val_loss"].as_f64().unwrap();
    assert!(val_loss < summary["unigram_entropy"].as_f64().unwrap() + 1.0, "{summary}");
    // By hand: the loss in bits, over the bytes that a validation token stands for in each source, by share.
    let bytes_per_token = |name: &str| {
        let val = &run::json(&DESK.path(name).join("dataset.json")).unwrap()["val"];
        val["bytes"].as_f64().unwrap() / val["tokens"].as_f64().unwrap()
    };
    let bytes = 0.75 * bytes_per_token("words") + 0.25 * bytes_per_token("others");
    let bits = summary["bits_per_byte"].as_f64().unwrap();
    assert!((bits - val_loss / 2_f64.ln() / bytes).abs() < 1e-9, "{summary}");
    // The sample begins with the text that the validation split begins with.
    let (sample, text) = (
        fs::read_to_string(DESK.path("mixture/sample.txt")).unwrap(),
        fs::read_to_string(DESK.path("text.txt")).unwrap(),
    );
    let start: String = sample.chars().take(40).collect();
    assert!(text.contains(&start), "{start}");

    stop(&train("mixture_stopped"), "mixture_stopped", 20, Signal::INT);
    DESK.succeed("train --resume mixture_stopped").unwrap();
    assert_same_bits(&DESK.path("mixture_stopped"), &DESK.path("mixture"));
}

#[test]
fn a_damaged_shard_and_a_foreign_vocabulary_are_named_before_the_first_step() {
    DESK.succeed("prepare text.txt --bpe 310 -o large").unwrap();
    let refused = |data: &str, words: &[&str]| {
        let train = format!("train road.svspec --data {data} --device cpu --steps 2 --out {data}_run");
        let faults = DESK.svc(&train).unwrap().faults_of_refusal(words);
        assert!(faults.is_empty(), "{faults:?}");
        assert!(!DESK.path(&format!("{data}_run")).exists());
    };
    refused("large", &["train-00000.safetensors", "vocab = 310"]);
    DESK.succeed("prepare text.txt --bytes -o damaged").unwrap();
    let shard = DESK.path("damaged/train-00000.safetensors");
    let mut bytes = fs::read(&shard).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&shard, bytes).unwrap();
    refused("damaged", &["damaged/train-00000.safetensors", "checksum"]);
}
