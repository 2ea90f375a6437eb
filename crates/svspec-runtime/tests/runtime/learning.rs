//! A run on a corpus that can be learned by heart ends far below the loss that byte frequencies reach, in every precision.

use crate::hand::Size;
use crate::runs::{Folder, options, rows, train, turn};
use crate::tiny::Tiny;
use crate::tiny_bf16::TinyBf16;
use crate::tiny_stochastic::{TinyStochastic, TinyStochasticMuon};
use serde_json::Value;
use std::fs;
use svspec_runtime::train::Ending;

fn learns<S: Size>(name: &str) {
    let _turn = turn();
    let folder = Folder::new(name);
    let out = folder.join("run");
    let ending = train::<S>(&options(&folder.corpus(), &out)).unwrap();
    let Ending::Finished { train_loss, validation, .. } = ending else { panic!("{ending:?}") };
    let val_loss = validation.loss;
    let summary: Value = serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap();
    let unigram = summary["unigram_entropy"].as_f64().unwrap();
    // The sentence's byte frequencies: 45 bytes, the space nine times, e and o four times each, …
    assert!((unigram - 3.0).abs() < 0.2, "{unigram}");
    assert!(val_loss < unigram - 1.0, "{val_loss} against {unigram}");
    assert!(train_loss.unwrap() < unigram - 1.0, "{train_loss:?}");
    assert_eq!(summary["val_loss"], val_loss);

    let metrics = rows(&out.join("metrics.jsonl"));
    let steps: Vec<u64> = metrics
        .iter()
        .filter(|row| row.get("loss").is_some())
        .map(|row| row["step"].as_u64().unwrap())
        .collect();
    assert_eq!(steps, (1..=40).collect::<Vec<_>>());
    for row in metrics.iter().filter(|row| row.get("loss").is_some()) {
        let of = |field: &str, group: &str| row[field][group].as_f64().unwrap();
        // Of the three groups the second is not clipped, and its rate is twice that of the first.
        let clipped = of("grad_norms", "matrices").hypot(of("grad_norms", "others"));
        let norm = row["grad_norm"].as_f64().unwrap();
        assert!((clipped - norm).abs() < 1e-5 * norm, "{row}");
        assert!(of("grad_norms", "input scales") > 0.0, "{row}");
        let rates = of("lrs", "input scales") / of("lrs", "matrices");
        assert!((rates - 2.0).abs() < 1e-12, "{row}");
    }
    let validations: Vec<u64> = metrics
        .iter()
        .filter(|row| row.get("val_loss").is_some())
        .map(|row| row["step"].as_u64().unwrap())
        .collect();
    assert_eq!(validations, [0, 10, 20, 30, 40]);
    // Two vectors in each of two layers, and the last one.
    let scales = rows(&out.join("scales.jsonl"));
    assert_eq!(scales.len(), 5 * validations.len());
    // At step 0 every γ is 1, of norm √32.
    assert!((scales[0]["norm"].as_f64().unwrap() - 32.0_f64.sqrt()).abs() < 1e-5, "{}", scales[0]);
    assert_eq!(scales[0]["anisotropy"], 0.0);
    assert!(scales.last().unwrap()["anisotropy"].as_f64().unwrap() > 0.0);
    assert!(fs::read_to_string(out.join("sample.txt")).unwrap().len() >= 400);
    assert_eq!(summary["num_scale_params"], 2 * (1 + 32 + 32) + 32);
}

#[test]
fn learns_in_f32() {
    learns::<Tiny>("learns-f32");
}

#[test]
fn learns_in_bf16_with_micro_batches() {
    learns::<TinyBf16>("learns-bf16");
}

#[test]
fn learns_in_bf16_throughout() {
    learns::<TinyStochastic>("learns-stochastic");
    learns::<TinyStochasticMuon>("learns-stochastic-muon");
}
