//! Processes that are killed, hang, or never come: each that is left ends within the time-out, says why, and leaves a checkpoint from which the run
//! goes on.

use crate::runs::{Folder, rows, state_bytes, turn};
use crate::teams::{End, Team, finishes, spawned};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Of the processes that hang.
const TIMEOUT: Duration = Duration::from_secs(4);
/// For a process to ask the others, to write a small checkpoint and to end, on a busy machine.
const BESIDES: Duration = Duration::from_secs(12);

/// The steps of the checkpoint in `run`.
fn checkpoint_step(run: &Path) -> u64 {
    let text = fs::read_to_string(run.join("checkpoint/state.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["step"].as_u64().unwrap()
}

/// `survivor` ended with a reason that has these words, and left a checkpoint of its last step, with rows up to it.
fn is_left_whole(end: &End, words: &[&str], out: &Path) {
    assert_eq!(end.code, Some(2), "{end:?}");
    assert!(words.iter().all(|word| end.stderr.contains(word)), "{words:?} in {end:?}");
    assert_eq!(end.stderr.lines().count(), 1, "{end:?}");
    let step = checkpoint_step(out);
    assert!(end.stderr.contains(&format!("the checkpoint of step {step} is left")), "{end:?}");
    let steps: Vec<u64> = rows(&out.join("metrics.jsonl"))
        .iter()
        .filter(|row| row.get("loss").is_some())
        .map(|row| row["step"].as_u64().unwrap())
        .collect();
    assert_eq!(steps, (1..=step).collect::<Vec<_>>());
    assert!(!out.join("checkpoint.claim").exists());
}

/// The run goes on with two processes for some steps.
fn goes_on(out: &Path) {
    let before = checkpoint_step(out) as usize;
    let mut team = Team::resume(2, out);
    team.wait_for_rows(out, before + 20);
    team.signal(0, "TERM");
    assert!(team.ends().iter().all(|end| end.code == Some(130)));
}

fn survives(name: &str, signal: &str, victim: usize) {
    let _turn = turn();
    let folder = Folder::new(name);
    let out = folder.join("run");
    let timeout = TIMEOUT.as_secs().to_string();
    let mut team =
        Team::start(2, &folder.corpus(), &out, &["--steps", "100000", "--timeout", timeout.as_str()]);
    team.wait_for_rows(&out, 20);
    team.signal(victim, signal);
    let began = Instant::now();
    let survivor = 1 - victim;
    let end = team.end(survivor);
    let taken = began.elapsed();
    let (least, most) =
        if signal == "STOP" { (TIMEOUT, TIMEOUT + BESIDES) } else { (Duration::ZERO, BESIDES) };
    assert!(taken > least.saturating_sub(Duration::from_secs(1)) && taken < most, "{taken:?}: {end:?}");
    let gone = format!("process {victim} does not answer");
    is_left_whole(&end, &[&format!("process {survivor} of 2 lost the others"), &gone], &out);
    drop(team);
    goes_on(&out);
}

#[test]
fn the_first_survives_the_second() {
    survives("second-killed", "KILL", 1);
}

#[test]
fn the_second_survives_the_first_and_its_store() {
    survives("first-killed", "KILL", 0);
}

#[test]
fn the_first_does_not_wait_for_ever_for_the_second() {
    survives("second-hangs", "STOP", 1);
}

#[test]
fn the_second_does_not_wait_for_ever_for_the_first() {
    survives("first-hangs", "STOP", 0);
}

#[test]
fn of_four_three_survive_and_one_leaves_the_checkpoint() {
    let _turn = turn();
    let folder = Folder::new("three-of-four");
    let out = folder.join("run");
    let mut team = Team::start(4, &folder.corpus(), &out, &["--steps", "100000"]);
    team.wait_for_rows(&out, 20);
    team.signal(2, "KILL");
    let ends: Vec<End> = [0, 1, 3].into_iter().map(|rank| team.end(rank)).collect();
    for end in &ends {
        assert_eq!(end.code, Some(2), "{ends:?}");
        assert!(end.stderr.contains("process 2 does not answer"), "{ends:?}");
        assert!(!end.stderr.contains("process 0 does not") && !end.stderr.contains("process 3 does not"));
    }
    let step = checkpoint_step(&out);
    assert!(ends[0].stderr.contains(&format!("the checkpoint of step {step} is left")), "{ends:?}");
    // One that is slower than the first finds its work done.
    let others_know = |end: &End| {
        end.stderr.contains("process 0 leaves the checkpoint")
            || end.stderr.contains(&format!("the checkpoint of step {step} stands"))
    };
    assert!(ends[1..].iter().all(others_know), "{ends:?}");
    let mut team = Team::resume(1, &out);
    team.wait_for_rows(&out, checkpoint_step(&out) as usize + 20);
    team.signal(0, "TERM");
    assert_eq!(team.end(0).code, Some(130));
}

#[test]
fn one_that_never_comes_is_named() {
    let _turn = turn();
    let folder = Folder::new("never-comes");
    let corpus = folder.corpus();
    for (present, words) in [
        (0, "of 2 processes, process 1 has not come within 2 s"),
        (1, "process 1 of 2 has no store at 127.0.0.1:"),
    ] {
        let began = Instant::now();
        let mut team = Team::start_one(2, present, &corpus, &folder.join("run"), &["--timeout", "2"]);
        let end = team.end(0);
        assert_eq!(end.code, Some(2), "{end:?}");
        assert!(end.stderr.contains(words), "{end:?}");
        assert!(began.elapsed() < BESIDES, "{:?}", began.elapsed());
        assert!(!folder.join("run").exists());
    }
}

#[test]
fn nproc_ends_with_the_processes_that_it_started() {
    let _turn = turn();
    let folder = Folder::new("nproc-killed");
    let (corpus, out) = (folder.corpus(), folder.join("run"));
    let mut command = spawned("tiny", 2, &corpus, &out);
    command.args(["--steps", "100000", "--timeout", "4", "--quiet"]).stderr(std::process::Stdio::piped());
    let mut team = Team::of(vec![command.spawn().unwrap()]);
    team.wait_for_rows(&out, 20);
    let children = team.children(0);
    assert_eq!(children.len(), 2);
    let killed = std::process::Command::new("kill").args(["-KILL", &children[1]]).status().unwrap();
    assert!(killed.success());
    let end = team.end(0);
    assert_eq!(end.code, Some(2), "{end:?}");
    for words in
        ["process 1 does not answer", "is left: go on with --resume", "process 1 ended with signal: 9"]
    {
        assert!(end.stderr.contains(words), "{words} in {end:?}");
    }
    goes_on(&out);
}

#[test]
fn nproc_passes_a_signal_on_and_leaves_a_checkpoint() {
    let _turn = turn();
    let folder = Folder::new("nproc-stopped");
    let (corpus, out) = (folder.corpus(), folder.join("run"));
    let mut command = spawned("tiny", 2, &corpus, &out);
    command.args(["--steps", "100000", "--quiet"]).stderr(std::process::Stdio::piped());
    let mut team = Team::of(vec![command.spawn().unwrap()]);
    team.wait_for_rows(&out, 20);
    team.signal(0, "INT");
    let end = team.end(0);
    assert_eq!(end.code, Some(130), "{end:?}");
    assert!(checkpoint_step(&out) >= 20);
}

#[test]
fn a_run_that_lost_a_process_ends_in_the_bits_of_one_that_did_not() {
    let _turn = turn();
    let folder = Folder::new("lost-and-found");
    let (corpus, whole, out) = (folder.corpus(), folder.join("whole"), folder.join("run"));
    // Long enough that it is killed before the end.
    let steps = ["--steps", "400"];
    let mut undisturbed = spawned("tiny", 2, &corpus, &whole);
    undisturbed.args(steps);
    finishes(undisturbed);
    let mut team = Team::start(2, &corpus, &out, &steps);
    team.wait_for_rows(&out, 10);
    team.signal(1, "KILL");
    team.end(0);
    drop(team);
    let mut team = Team::resume(2, &out);
    assert!(team.ends().iter().all(|end| end.code == Some(0)));
    assert!(state_bytes(&out) == state_bytes(&whole));
}
