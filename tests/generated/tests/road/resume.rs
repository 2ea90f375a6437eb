//! `svc train --resume`: a stopped run goes on to the bits of one that was not, or says why it cannot and is unharmed.

use super::setting::{DESK, SPEC, begin, stop};
use rustix::process::Signal;
use std::fs;
use std::path::Path;
use svspec_generated_tests::run;

/// Long enough that the signal comes before the end.
pub const STEPS: u64 = 800;

const TENSORS: [&str; 2] = ["checkpoint/model.safetensors", "checkpoint/optimizer.safetensors"];

#[test]
fn a_run_stopped_by_a_signal_ends_in_the_same_bits() {
    DESK.succeed(&begin("unstopped", STEPS)).unwrap();
    for signal in [Signal::INT, Signal::TERM] {
        stop(&begin("stopped", STEPS), "stopped", 20, signal);
        let at = run::json(&DESK.path("stopped/checkpoint/state.json")).unwrap()["step"].as_u64().unwrap();
        assert!(at < STEPS, "{at}");
        DESK.succeed("train --resume stopped").unwrap();
        assert_same_bits(&DESK.path("stopped"), &DESK.path("unstopped"));
        fs::remove_dir_all(DESK.path("stopped")).unwrap();
    }
}

/// The runs in two folders have ended in the same bits, and told the same on their way.
pub fn assert_same_bits(one: &Path, other: &Path) {
    for name in TENSORS {
        assert!(fs::read(one.join(name)).unwrap() == fs::read(other.join(name)).unwrap(), "{name} differs");
    }
    assert_eq!(run::losses(one).unwrap(), run::losses(other).unwrap());
    let read = |run: &Path, name: &str| fs::read_to_string(run.join(name)).unwrap();
    for name in ["sample.txt", "scales.jsonl"] {
        assert_eq!(read(one, name), read(other, name), "{name}");
    }
}

#[test]
fn what_contradicts_the_run_is_refused_and_harms_nothing() {
    DESK.succeed(&begin("contradicted", 20)).unwrap();
    fs::write(DESK.path("other_lr.svspec"), SPEC.replace("lr    = 3e-3", "lr    = 2e-3")).unwrap();
    fs::write(DESK.path("other_text.txt"), "another text ".repeat(100)).unwrap();
    let before = run::files(&DESK.path("contradicted")).unwrap();
    for (arguments, words) in [
        ("--steps 40", &["--steps 40", "20"][..]),
        ("--seed 7", &["--seed 7"]),
        ("--data other_text.txt", &["other_text.txt", "is not what the run"]),
        ("other_lr.svspec", &["lr", "0.003", "0.002", "no longer the spec"]),
        ("road.svspec --variant road_hg", &["no longer the spec", "attn.{q, k, v}.in_scale"]),
    ] {
        let said = DESK.svc(&format!("train --device cpu --resume contradicted {arguments}")).unwrap();
        let faults = said.faults_of_refusal(words);
        assert!(faults.is_empty(), "{arguments}: {}", faults.join(", "));
        assert!(before == run::files(&DESK.path("contradicted")).unwrap(), "{arguments} has changed the run");
    }
}

#[test]
fn a_spec_that_means_the_same_is_no_contradiction_and_a_finished_run_stays_as_it_is() {
    DESK.succeed(&begin("finished", 20)).unwrap();
    fs::write(DESK.path("commented.svspec"), format!("{SPEC}\n// A remark.\n")).unwrap();
    let tensors = |name| fs::read(DESK.path("finished").join(name)).unwrap();
    let before = TENSORS.map(tensors);
    DESK.succeed("train commented.svspec --device cpu --resume finished").unwrap();
    assert!(before == TENSORS.map(tensors));
}

#[test]
fn a_checkpoint_cut_short_is_refused() {
    DESK.succeed(&begin("cut", 20)).unwrap();
    for name in [TENSORS[0], TENSORS[1], "checkpoint/state.json"] {
        let path = DESK.path("cut").join(name);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let before = run::files(&DESK.path("cut")).unwrap();
        let said = DESK.svc("train --device cpu --resume cut").unwrap();
        let faults = said.faults_of_refusal(&[name]);
        assert!(faults.is_empty(), "{name}: {}", faults.join(", "));
        assert!(before == run::files(&DESK.path("cut")).unwrap(), "{name}: the run has changed");
        fs::write(&path, whole).unwrap();
    }
}
