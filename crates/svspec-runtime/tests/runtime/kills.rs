//! A trainer that is killed at any instant, and taken up each time, ends in the same bits as one that was left alone.

use crate::events;
use crate::runs::{Folder, rows, state_bytes, turn};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use svspec_runtime::random;

const NUM_KILLS: usize = 200;
/// Runs at a time.
const NUM_LANES: usize = 2;
/// What share of a sitting the work after a first checkpoint may be.
const WORK: f64 = 0.25;
/// How often a trainer is asked whether it has come to its end.
const POLL: Duration = Duration::from_millis(1);

/// What came of one lane's runs.
#[derive(Default)]
struct Tally {
    /// Trainers that were killed before their end.
    kills: usize,
    /// Those among them that had written a checkpoint.
    after_progress: usize,
    /// Runs that came to their end.
    runs: usize,
}

/// `examples/often.rs`, which cargo builds beside the tests.
fn trainer() -> Command {
    let test = std::env::current_exe().unwrap();
    let mut command = Command::new(test.parent().and_then(Path::parent).unwrap().join("examples/often"));
    command.args(["--quiet", "--device", "cpu", "--threads", "1"]).stdin(Stdio::null());
    // Else it would start itself again with that, which takes as long as the training here.
    command.env("GOMP_SPINCOUNT", "1000");
    command
}

/// Begins the run in `out`, or takes it up where one has begun.
fn start(corpus: &Path, out: &Path) -> Child {
    let mut command = trainer();
    if out.join("begun.json").exists() {
        command.arg("--resume").arg(out);
    } else {
        command.arg("--data").arg(corpus).arg("--out").arg(out);
    }
    command.spawn().unwrap()
}

/// How long the trainer took, if it ended within `delay` of the moment from which on `counts`. Else it is killed then.
fn end_or_kill(mut child: Child, delay: Duration, counts: impl Fn() -> bool) -> Option<Duration> {
    let began = Instant::now();
    let mut counted: Option<Instant> = None;
    while counted.is_none_or(|since| since.elapsed() < delay) {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return Some(began.elapsed());
        }
        counted = counted.or_else(|| counts().then(Instant::now));
        thread::sleep(POLL);
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    // It may have come to its end in the last moment.
    status.success().then(|| began.elapsed())
}

/// The record of the newest checkpoint; none before the first, and between the renames that put one in place.
fn record(run: &Path) -> Option<String> {
    fs::read_to_string(run.join("checkpoint/state.json")).ok()
}

/// The checkpoints that are kept beside the newest.
fn kept(run: &Path) -> Vec<String> {
    let entries = fs::read_dir(run.join("checkpoints")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What TensorBoard draws, without what the clock says.
fn curves(run: &Path) -> events::Scalars {
    let mut curves = events::scalars(run);
    let is_clocked = |tag: &str| {
        let clocked = ["train/tokens_per_second", "train/flops_per_second", "train/peak_memory_bytes"];
        clocked.contains(&tag) || tag.starts_with("step_seconds/")
    };
    curves.retain(|(_, tag), _| !is_clocked(tag));
    curves
}

fn assert_same(run: &Path, whole: &Path) {
    assert!(state_bytes(run) == state_bytes(whole), "the bits differ");
    for file in ["metrics.jsonl", "scales.jsonl"] {
        assert_eq!(rows(&run.join(file)), rows(&whole.join(file)), "{file}");
    }
    assert_eq!(curves(run), curves(whole));
    assert_eq!(fs::read(run.join("sample.txt")).unwrap(), fs::read(whole.join("sample.txt")).unwrap());
    assert_eq!(kept(run), kept(whole));
}

/// Kills trainers that write to `run`, and compares what each run ends in with `whole`, which took `length`.
fn lane(corpus: &Path, whole: &Path, run: &Path, length: Duration, lane: usize) -> Tally {
    let mut tally = Tally::default();
    // What a run takes to its end depends on where it was killed, and on what else the machine does. So the moment is drawn
    // from a time that shrinks to what the last one took, and grows as long as none comes to its end.
    let mut length = length;
    while tally.kills < NUM_KILLS / NUM_LANES {
        let moment = random::named(lane as u64, &format!("sitting {} {}", tally.kills, tally.runs));
        let before = record(run);
        // Where much else runs, a trainer takes most of its time to start. Every second one is killed at work.
        let at_work = tally.kills % 2 == 1;
        let delay = length.mul_f64(random::unit(moment) * if at_work { WORK } else { 1.0 });
        match end_or_kill(start(corpus, run), delay, || !at_work || record(run) != before) {
            None => {
                tally.kills += 1;
                tally.after_progress += usize::from(record(run) != before);
                length = length.mul_f64(1.1);
            }
            Some(elapsed) => {
                assert_same(run, whole);
                fs::remove_dir_all(run).unwrap();
                tally.runs += 1;
                length = elapsed;
            }
        }
    }
    if run.exists() {
        assert!(start(corpus, run).wait().unwrap().success());
        assert_same(run, whole);
        tally.runs += 1;
    }
    tally
}

#[test]
fn two_hundred_kills_change_nothing() {
    let _turn = turn();
    let folder = Folder::new("kills");
    let (corpus, whole) = (folder.corpus(), folder.join("whole"));
    let began = Instant::now();
    assert!(start(&corpus, &whole).wait().unwrap().success());
    let length = began.elapsed();
    // One of fifteen, one of the last two beside the newest.
    assert_eq!(kept(&whole), ["step-00000015", "step-00000030", "step-00000045", "step-00000057"]);

    let runs: Vec<PathBuf> = (0..NUM_LANES).map(|index| folder.join(&format!("lane-{index}"))).collect();
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let (corpus, whole) = (&corpus, &whole);
        let lanes = runs.iter().enumerate();
        let lanes: Vec<_> =
            lanes.map(|(index, run)| scope.spawn(move || lane(corpus, whole, run, length, index))).collect();
        lanes.into_iter().map(|lane| lane.join().unwrap()).collect()
    });
    let sum = |number: fn(&Tally) -> usize| tallies.iter().map(number).sum::<usize>();
    let (num_kills, after_progress) = (sum(|tally| tally.kills), sum(|tally| tally.after_progress));
    let told =
        format!("{after_progress} of {num_kills} kills after progress, {} runs", sum(|tally| tally.runs));
    assert_eq!(num_kills, NUM_KILLS);
    assert!(after_progress > NUM_KILLS / 5, "hardly any kill met a run at work: {told}");
}
