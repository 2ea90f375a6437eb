//! A run stopped at any step and resumed ends in the same bits, with the same rows, as one that was not.

use crate::hand::Size;
use crate::runs::{Folder, options, resumption, rows, state_bytes, train, train_until, turn};
use crate::tiny::Tiny;
use crate::tiny_bf16::TinyBf16;
use crate::tiny_muon::TinyMuon;
use crate::tiny_stochastic::{TinyStochastic, TinyStochasticMuon};
use crate::tiny_unit::TinyUnit;
use std::fs;
use svspec_runtime::run::RunError;
use svspec_runtime::train::Ending;

fn resumes<S: Size>(name: &str, stops: &[u64]) {
    let _turn = turn();
    let folder = Folder::new(name);
    let corpus = folder.corpus();
    let whole = folder.join("whole");
    train::<S>(&options(&corpus, &whole)).unwrap();
    for &stop in stops {
        let broken = folder.join(&format!("stopped-at-{stop}"));
        let ending = train_until::<S>(&options(&corpus, &broken), stop).unwrap();
        assert_eq!(ending, Ending::Interrupted { step: stop });
        assert!(!broken.join("summary.json").exists());
        let ending = train::<S>(&resumption(&broken)).unwrap();
        assert!(matches!(ending, Ending::Finished { .. }), "{ending:?}");
        assert!(state_bytes(&broken) == state_bytes(&whole), "stopped at step {stop}, the bits differ");
        for file in ["metrics.jsonl", "scales.jsonl"] {
            assert_eq!(rows(&broken.join(file)), rows(&whole.join(file)), "{file}, stopped at step {stop}");
        }
        assert_eq!(fs::read(broken.join("sample.txt")).unwrap(), fs::read(whole.join("sample.txt")).unwrap());
    }
}

#[test]
fn ends_in_the_same_bits_in_f32() {
    resumes::<Tiny>("resumes-f32", &[1, 7, 10, 39]);
}

#[test]
fn ends_in_the_same_bits_in_bf16_with_micro_batches() {
    resumes::<TinyBf16>("resumes-bf16", &[3, 20]);
}

#[test]
fn ends_in_the_same_bits_with_muon_and_sgd() {
    resumes::<TinyMuon>("resumes-muon", &[1, 23]);
}

#[test]
fn ends_in_the_same_bits_in_bf16_throughout() {
    resumes::<TinyStochastic>("resumes-stochastic", &[3, 20]);
    resumes::<TinyStochasticMuon>("resumes-stochastic-muon", &[7]);
}

#[test]
fn ends_in_the_same_bits_with_norms_kept_at_1() {
    resumes::<TinyUnit>("resumes-unit", &[1, 23]);
}

#[test]
fn two_runs_of_one_seed_are_the_same_and_of_two_seeds_are_not() {
    let _turn = turn();
    let folder = Folder::new("seeds");
    let corpus = folder.corpus();
    let mut bits = Vec::new();
    for (name, seed) in [("a", 1), ("b", 1), ("c", 2)] {
        let out = folder.join(name);
        let options =
            svspec_runtime::run::Options { seed: Some(seed), steps: Some(3), ..options(&corpus, &out) };
        train::<Tiny>(&options).unwrap();
        bits.push(state_bytes(&out));
    }
    assert!(bits[0] == bits[1]);
    assert!(bits[0][0] != bits[2][0]);
}

#[test]
fn rows_after_the_checkpoint_are_dropped_and_a_cut_one_too() {
    let _turn = turn();
    let folder = Folder::new("cut-rows");
    let (whole, broken) = (folder.join("whole"), folder.join("broken"));
    let corpus = folder.corpus();
    train::<Tiny>(&options(&corpus, &whole)).unwrap();
    train_until::<Tiny>(&options(&corpus, &broken), 12).unwrap();
    // As a killed run leaves it: rows beyond the checkpoint, the last one cut.
    let metrics = broken.join("metrics.jsonl");
    let text = fs::read_to_string(&metrics).unwrap();
    fs::write(&metrics, text + "{\"step\":13,\"loss\":1.0}\n{\"step\":14,\"lo").unwrap();
    train::<Tiny>(&resumption(&broken)).unwrap();
    assert_eq!(rows(&metrics), rows(&whole.join("metrics.jsonl")));
}

#[test]
fn a_run_of_another_length_or_text_is_not_taken_up() {
    let _turn = turn();
    let folder = Folder::new("contradictions");
    let out = folder.join("run");
    train_until::<Tiny>(&options(&folder.corpus(), &out), 2).unwrap();
    let before = state_bytes(&out);

    let other_steps = svspec_runtime::run::Options { steps: Some(50), ..resumption(&out) };
    let error = train::<Tiny>(&other_steps).unwrap_err();
    assert!(error.to_string().starts_with("--steps 50 contradicts the run in"), "{error}");

    let other_text = folder.join("other.txt");
    fs::write(&other_text, "another text, of the length it takes ".repeat(100)).unwrap();
    let other_data = svspec_runtime::run::Options { data: vec![other_text], ..resumption(&out) };
    assert!(matches!(train::<Tiny>(&other_data), Err(RunError::OtherCorpus { .. })));

    let taken = options(&folder.corpus(), &out);
    assert!(matches!(train::<Tiny>(&taken), Err(RunError::Taken(_))));
    assert!(state_bytes(&out) == before);
}
