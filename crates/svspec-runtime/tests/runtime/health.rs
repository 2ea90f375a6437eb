//! Losses that are no numbers, losses that leap, and scale vectors that are dead: what a run does about them, and what it leaves.

use crate::hand::Hand;
use crate::ill::{FEVER, Ill, POISON, Treatment, health};
use crate::runs::{self, Folder, rows, state_bytes, turn};
use crate::tiny::Tiny;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use svspec_runtime::run::{self, Options, RunError};
use svspec_runtime::spec::{Algorithm, Health, Muon, MuonScale, Remedy};
use svspec_runtime::train::Ending;

struct Stops;
impl Treatment for Stops {
    const NAME: &'static str = "stops";
    const HEALTH: Health = health(Remedy::Stop, Remedy::Stop, Remedy::Stop);
}

struct Skips;
impl Treatment for Skips {
    const NAME: &'static str = "skips";
    const HEALTH: Health = health(Remedy::Skip, Remedy::Skip, Remedy::Log);
}

struct SkipsMuon;
impl Treatment for SkipsMuon {
    const NAME: &'static str = "skips_muon";
    const HEALTH: Health = Skips::HEALTH;
    const ALGORITHM: Algorithm =
        Algorithm::Muon(Muon { momentum: 0.9, nesterov: true, ns_steps: 5, scale: MuonScale::Rms(0.2) });
}

struct GoesBack;
impl Treatment for GoesBack {
    const NAME: &'static str = "goes_back";
    const HEALTH: Health = health(Remedy::RollBack, Remedy::RollBack, Remedy::Log);
}

struct Dead;
impl Treatment for Dead {
    const NAME: &'static str = "dead";
    const HEALTH: Health = health(Remedy::Stop, Remedy::Log, Remedy::Stop);
    const PULSE: f64 = 0.0;
}

/// The text of other tests, with these bytes in these places.
fn corpus(folder: &Folder, bytes: &[(usize, u8)]) -> PathBuf {
    let path = folder.corpus();
    let mut text = fs::read(&path).unwrap();
    for &(place, byte) in bytes {
        text[place] = byte;
    }
    fs::write(&path, text).unwrap();
    path
}

/// On one thread: a model as small as this one gains nothing from more.
fn options(data: &Path, out: &Path) -> Options {
    Options { threads: Some(1), ..runs::options(data, out) }
}

fn resumption(run: &Path) -> Options {
    Options { threads: Some(1), ..runs::resumption(run) }
}

fn train<T: Treatment>(options: &Options) -> Result<Ending, RunError> {
    run::run::<Ill<T>>(options, &|_| false)
}

fn faults(run: &Path) -> Vec<Value> {
    rows(&run.join("health.jsonl"))
}

fn steps(rows: &[Value]) -> Vec<u64> {
    rows.iter().map(|row| row["step"].as_u64().unwrap()).collect()
}

fn trained_steps(run: &Path) -> Vec<u64> {
    let rows: Vec<Value> = rows(&run.join("metrics.jsonl"));
    steps(&rows.into_iter().filter(|row| row.get("loss").is_some()).collect::<Vec<_>>())
}

/// Places in the text that a run first reads in steps 110 to 150, by then knowing what a usual loss is; in the order of the steps.
fn places(folder: &Folder) -> Vec<usize> {
    let marks: Vec<(usize, u8)> = (0..120).map(|mark| (150 * usize::from(mark), 130 + mark)).collect();
    let marked = svspec_runtime::corpus::read(&[corpus(folder, &marks)]).unwrap();
    let read = (110..150_u64).filter_map(|step| {
        let windows = marked.training_windows(0, 4 * (step - 1)..4 * step, 16);
        // The last of 17 is a target alone.
        let tokens = windows.chunks(17).flat_map(|window| window[..16].to_vec()).collect::<Vec<_>>();
        let mark = tokens.into_iter().find(|&token| token >= 130)?;
        Some(150 * (mark as usize - 130))
    });
    read.step_by(3).collect()
}

#[test]
fn a_run_stops_before_the_step_at_fault_in_the_bits_of_one_that_was_stopped_there() {
    let _turn = turn();
    let folder = Folder::new("stops");
    for (name, byte, words) in [
        ("poison", POISON, "the loss is NaN"),
        ("fever", FEVER, "a spike; the largest gradient is that of `"),
    ] {
        let corpus = corpus(&folder, &[(places(&folder)[0], byte)]);
        let (out, whole) = (folder.join(name), folder.join(&format!("{name}-whole")));
        let error = train::<Stops>(&options(&corpus, &out)).unwrap_err();
        let RunError::Fault { fault, steps: taken, .. } = &error else { panic!("{error}") };
        assert_eq!(*taken, fault.step - 1);
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.to_string().contains(&format!("has the checkpoint of step {taken}")), "{error}");
        let found = faults(&out);
        assert_eq!((steps(&found), &found[0]["remedy"]), (vec![fault.step], &Value::from("stop")));
        assert_eq!(trained_steps(&out), (1..=*taken).collect::<Vec<_>>());
        let stopped = run::run::<Ill<Stops>>(&options(&corpus, &whole), &|step| step == *taken).unwrap();
        assert_eq!(stopped, Ending::Interrupted { step: *taken });
        assert!(state_bytes(&out) == state_bytes(&whole));
        // It stops there again.
        let again = train::<Stops>(&resumption(&out)).unwrap_err();
        assert_eq!(again.to_string(), error.to_string());
        assert_eq!(faults(&out), found);
    }
}

/// A run that passes over steps, and the steps.
fn skips<T: Treatment>(name: &str) {
    let folder = Folder::new(name);
    let places = places(&folder);
    let bytes = [(places[0], POISON), (places[1], FEVER), (places[2], POISON)];
    let corpus = corpus(&folder, &bytes);
    let (whole, out) = (folder.join("whole"), folder.join("out"));
    let ending = train::<T>(&options(&corpus, &whole)).unwrap();
    let Ending::Finished { validation, .. } = ending else { panic!("{ending:?}") };
    let val_loss = validation.loss;
    assert!(val_loss < 3.0, "{val_loss}");
    let found = faults(&whole);
    assert!(found.len() == 3 && found.iter().all(|row| row["remedy"] == "skip"), "{found:?}");
    // A spike has a loss, and a row.
    let without: Vec<u64> = found
        .iter()
        .filter(|row| row["fault"] == "non_finite_loss")
        .map(|row| row["step"].as_u64().unwrap())
        .collect();
    assert!(!without.is_empty());
    let expected: Vec<u64> = (1..=160).filter(|step| !without.contains(step)).collect();
    assert_eq!(trained_steps(&whole), expected);
    // A step that is passed over changes nothing.
    let skipped = without[0];
    let at = |step: u64| {
        let out = folder.join(&format!("at-{step}"));
        run::run::<Ill<T>>(&options(&corpus, &out), &|done| done == step).unwrap();
        let [model, optimizer] = state_bytes(&out);
        let tensors = |bytes: Vec<u8>| {
            let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            bytes[8 + header..].to_vec()
        };
        [tensors(model), tensors(optimizer)]
    };
    let (before, after, later) = (at(skipped - 1), at(skipped), at(skipped + 1));
    assert!(before == after && after != later);
    // Stopped behind it, the run goes on to the same end.
    run::run::<Ill<T>>(&options(&corpus, &out), &|done| done == skipped + 3).unwrap();
    train::<T>(&resumption(&out)).unwrap();
    assert!(state_bytes(&out) == state_bytes(&whole));
    assert_eq!(faults(&out), found);
    assert_eq!(rows(&out.join("metrics.jsonl")), rows(&whole.join("metrics.jsonl")));
}

#[test]
fn a_step_that_is_passed_over_changes_nothing() {
    let _turn = turn();
    skips::<Skips>("skips");
    skips::<SkipsMuon>("skips-muon");
}

#[test]
fn a_run_goes_back_and_on_with_other_batches_and_so_does_one_that_is_taken_up() {
    let _turn = turn();
    let folder = Folder::new("goes-back");
    let places = places(&folder);
    let corpus = corpus(&folder, &[(places[0], POISON), (places[2], FEVER)]);
    let (whole, out) = (folder.join("whole"), folder.join("out"));
    train::<GoesBack>(&options(&corpus, &whole)).unwrap();
    let found = faults(&whole);
    assert!(!found.is_empty());
    for row in &found {
        let (to, at) = (row["step"].as_u64().unwrap(), row["at"].as_u64().unwrap());
        assert_eq!(to, (at - 1) / 8 * 8, "{row}");
        assert_eq!(row["remedy"], "roll_back");
    }
    assert_eq!(trained_steps(&whole), (1..=160).collect::<Vec<_>>());
    let record = fs::read_to_string(whole.join("checkpoint/state.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["roll_backs"], Value::from(found.clone()));
    // Stopped right behind the first return, and taken up.
    let stop = found[0]["step"].as_u64().unwrap() + 1;
    let has_gone_back = std::cell::Cell::new(0);
    let asks = |done: u64| {
        has_gone_back.set(has_gone_back.get() + u32::from(done == stop));
        has_gone_back.get() == 2
    };
    let stopped = run::run::<Ill<GoesBack>>(&options(&corpus, &out), &asks).unwrap();
    assert_eq!(stopped, Ending::Interrupted { step: stop });
    train::<GoesBack>(&resumption(&out)).unwrap();
    assert!(state_bytes(&out) == state_bytes(&whole));
    assert_eq!(faults(&out), found);
    assert_eq!(rows(&out.join("metrics.jsonl")), rows(&whole.join("metrics.jsonl")));
}

#[test]
fn a_run_that_no_return_helps_ends() {
    let _turn = turn();
    let folder = Folder::new("no-return");
    let everywhere: Vec<(usize, u8)> = (0..20_000).step_by(5).map(|place| (place, POISON)).collect();
    let corpus = corpus(&folder, &everywhere);
    let error = train::<GoesBack>(&options(&corpus, &folder.join("back"))).unwrap_err();
    assert!(error.to_string().contains("the loss is NaN, after 3 returns to step 0"), "{error}");
    let error = train::<Skips>(&options(&corpus, &folder.join("skips"))).unwrap_err();
    assert!(error.to_string().contains("10 steps in a row were passed over"), "{error}");
}

#[test]
fn a_scale_vector_that_no_gradient_reaches_is_named() {
    let _turn = turn();
    let folder = Folder::new("dead");
    let (corpus, out) = (folder.corpus(), folder.join("run"));
    let error = train::<Dead>(&options(&corpus, &out)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("step 80: no gradient reaches `layers.0.attn_norm.scale`"), "{text}");
    assert!(text.ends_with("or write on_dead_scale = log"), "{text}");
    let names: Vec<Value> = faults(&out).into_iter().map(|row| row["tensors"][0].clone()).collect();
    assert_eq!(names, ["layers.0.attn_norm.scale", "layers.0.mlp_norm.scale", "final_norm.scale"]);
    let healthy = folder.join("healthy");
    run::run::<Hand<Tiny>>(&options(&corpus, &healthy), &|_| false).unwrap();
    assert!(faults(&healthy).is_empty());
}
