//! One run in several processes on loopback: the losses and the bits of one process, the bytes that a step sends, signals, restarts, and another
//! number of processes.

use crate::runs::{Folder, rows, state_bytes, turn};
use crate::teams::{Team, fails, finishes, spawned};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// The losses or gradient norms of a run's steps.
fn by_step(run: &Path, what: &str) -> Vec<f64> {
    let rows = rows(&run.join("metrics.jsonl"));
    rows.iter().filter(|row| row.get("loss").is_some()).map(|row| row[what].as_f64().unwrap()).collect()
}

/// The rows without what several processes alone have.
fn common_rows(run: &Path, file: &str) -> Vec<Value> {
    let mut rows = rows(&run.join(file));
    for row in &mut rows {
        row.as_object_mut().unwrap().remove("bytes_sent");
    }
    rows
}

#[test]
fn two_processes_give_the_bits_of_one_that_adds_two_micro_batches() {
    let _turn = turn();
    let folder = Folder::new("same-bits");
    // The losses and loads of experts are of micro-batches, too.
    for model in ["halves", "muon-halves", "experts"] {
        let (one, two) = (folder.join(&format!("{model}-1")), folder.join(&format!("{model}-2")));
        finishes(spawned(model, 1, &folder.corpus(), &one));
        finishes(spawned(model, 2, &folder.corpus(), &two));
        // Each process computes what was one of the micro-batches, and a sum of two terms has one order.
        assert!(state_bytes(&one) == state_bytes(&two), "{model}");
        for file in ["metrics.jsonl", "scales.jsonl"] {
            assert_eq!(common_rows(&one, file), common_rows(&two, file), "{model}: {file}");
        }
        assert_eq!(fs::read(one.join("sample.txt")).unwrap(), fs::read(two.join("sample.txt")).unwrap());
        if model == "halves" {
            // Its gradients were clipped in some steps, and in others not.
            let norms = by_step(&one, "grad_norm");
            assert!(
                norms.iter().any(|&norm| norm > 1.0) && norms.iter().any(|&norm| norm < 1.0),
                "{norms:?}"
            );
        }
    }
}

/// The largest difference of two runs' losses, over the first steps and over all.
fn differences(a: &Path, b: &Path, first: usize) -> (f64, f64) {
    let (a, b) = (by_step(a, "loss"), by_step(b, "loss"));
    assert_eq!((a.len(), b.len()), (40, 40));
    let each: Vec<f64> = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).collect();
    let largest = |of: &[f64]| of.iter().copied().fold(0.0, f64::max);
    (largest(&each[..first]), largest(&each))
}

#[test]
fn any_number_of_processes_gives_the_loss_of_one() {
    let _turn = turn();
    let folder = Folder::new("same-loss");
    let corpus = folder.corpus();
    // Muon rounds gradients to bf16, where two that differ in an f32's last bit may be 2⁻⁸ apart.
    for (model, bound) in [("tiny", 1e-5), ("halves", 1e-5), ("muon", 1e-4)] {
        let one = folder.join(&format!("{model}-1"));
        finishes(spawned(model, 1, &corpus, &one));
        let is_near = |what: &str, several: &Path| {
            let (first, all) = differences(&one, several, 5);
            eprintln!("{what}: {first:.1e} in the first steps, {all:.1e} in all");
            assert!(first < bound && all < 1e-2, "{what}: {first:e}, {all:e}");
        };
        for nproc in [2, 4] {
            let several = folder.join(&format!("{model}-{nproc}"));
            finishes(spawned(model, nproc, &corpus, &several));
            is_near(&format!("{model} in {nproc} processes"), &several);
        }
        if model == "muon" {
            // The order of sums is all that it is: one process that takes the batch in halves differs by as much.
            let halves = folder.join("muon-halves");
            finishes(spawned("muon-halves", 1, &corpus, &halves));
            is_near("muon in halves", &halves);
        }
    }
}

#[test]
fn a_step_sends_the_bytes_that_are_said() {
    let _turn = turn();
    let folder = Folder::new("bytes");
    for (nproc, share) in [(2, 1.0), (4, 1.5)] {
        let out = folder.join(&format!("{nproc}"));
        let said = finishes(spawned("tiny", nproc, &folder.corpus(), &out));
        let summary: Value = serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap();
        // 2 (n − 1) / n of four bytes for every parameter and the question whether to stop, and of eight for the loss.
        let sent = share * (4.0 * (summary["num_params"].as_f64().unwrap() + 1.0) + 8.0);
        assert!(by_step(&out, "bytes_sent").iter().all(|&bytes| (bytes - sent).abs() < 0.5));
        assert!(said.contains(&format!("each process sends {sent} bytes a step")), "{said}");
    }
}

#[test]
fn a_signal_to_one_stops_all_after_one_step_and_another_number_goes_on() {
    let _turn = turn();
    let folder = Folder::new("signals");
    let out = folder.join("run");
    let mut team = Team::start(2, &folder.corpus(), &out, &["--steps", "100000"]);
    team.wait_for_rows(&out, 20);
    team.signal(1, "TERM");
    let ends = team.ends();
    assert!(ends.iter().all(|end| end.code == Some(130)), "{ends:?}");
    let state = fs::read_to_string(out.join("checkpoint/state.json")).unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    let stopped_at = by_step(&out, "loss").len() as u64;
    assert_eq!((state["step"].as_u64(), state["processes"].as_u64()), (Some(stopped_at), Some(2)));

    let mut team = Team::resume(4, &out);
    team.wait_for_rows(&out, stopped_at as usize + 20);
    team.signal(0, "INT");
    assert!(team.ends().iter().all(|end| end.code == Some(130)));
    let steps = by_step(&out, "step");
    assert_eq!(steps, (1..=steps.len()).map(|step| step as f64).collect::<Vec<_>>());
}

#[test]
fn faults_of_one_end_all_with_a_reason() {
    let _turn = turn();
    let folder = Folder::new("team-faults");
    let corpus = folder.corpus();
    let said = fails(spawned("tiny", 3, &corpus, &folder.join("three")));
    assert!(
        said.contains("a batch of 8 sequences cannot be divided among 3 processes: start 2 or 4"),
        "{said}"
    );

    let mut team = Team::start_each(2, &corpus, &folder.join("seeds"), |rank| {
        vec!["--seed".to_owned(), (7 + rank).to_string()]
    });
    let ends = team.ends();
    assert!(ends.iter().all(|end| end.code == Some(2)), "{ends:?}");
    assert!(ends[1].stderr.contains("process 1 has --seed 8, and process 0 7"), "{ends:?}");
    assert!(ends[0].stderr.contains("process 1 could not begin"), "{ends:?}");

    let mut team = Team::start_each(2, &corpus, &folder.join("texts"), |rank| {
        if rank == 1 { vec!["--data".to_owned(), "/nowhere".to_owned()] } else { Vec::new() }
    });
    let ends = team.ends();
    assert!(ends.iter().all(|end| end.code == Some(2)), "{ends:?}");
    assert!(ends[1].stderr.contains("cannot read the corpus `/nowhere`"), "{ends:?}");
    assert!(ends[0].stderr.contains("process 1 could not begin, and has said why"), "{ends:?}");
}

#[test]
fn what_was_started_again_goes_on() {
    let _turn = turn();
    let folder = Folder::new("restarts");
    let (corpus, whole, out) = (folder.corpus(), folder.join("whole"), folder.join("run"));
    // Long enough that it is killed before the end.
    let steps = ["--steps", "400"];
    let mut undisturbed = spawned("tiny", 2, &corpus, &whole);
    undisturbed.args(steps);
    finishes(undisturbed);

    // Killed before there is a checkpoint, it begins anew.
    let mut team = Team::start(2, &corpus, &out, &steps);
    team.wait_for_rows(&out, 1);
    team.signal(0, "KILL");
    team.signal(1, "KILL");
    team.ends();
    fs::remove_dir_all(out.join("checkpoint")).unwrap_or_default();
    let mut team = Team::start_again(2, 1, &corpus, &out, &steps);
    let ends = team.ends();
    assert!(ends.iter().all(|end| end.code == Some(0)), "{ends:?}");
    assert!(state_bytes(&out) == state_bytes(&whole));
    assert_eq!(common_rows(&out, "metrics.jsonl"), common_rows(&whole, "metrics.jsonl"));
    // The run is complete; once more changes nothing.
    let mut team = Team::start_again(2, 2, &corpus, &out, &steps);
    assert!(team.ends().iter().all(|end| end.code == Some(0)));
    assert!(state_bytes(&out) == state_bytes(&whole));
}
