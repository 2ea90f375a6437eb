//! The folder of the suite, with its spec and its text.

use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use svspec_generated_tests::svc::Desk;

/// The spec, one small model and a variant.
pub const SPEC: &str = include_str!("../../specs/road.svspec");

/// Text to train on.
const TEXT: &str = include_str!("../../../../grammar/README.md");

/// `road.svspec` and `text.txt` in a folder where `svc` runs. One for all tests: a trainer is compiled once for each
/// folder that it is generated to. Each test has runs of its own there.
pub static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let desk = Desk::set(&temporary.join("road"), temporary.parent().unwrap()).unwrap();
    fs::write(desk.path("road.svspec"), SPEC).unwrap();
    fs::write(desk.path("text.txt"), TEXT).unwrap();
    desk
});

/// The arguments that begin a run in `out`.
pub fn begin(out: &str, steps: u64) -> String {
    format!("train road.svspec --data text.txt --device cpu --steps {steps} --out {out}")
}

/// Runs `arguments`, which train in the folder `run`, until its metrics tell of `step`, and stops it by `signal`.
pub fn stop(arguments: &str, run: &str, step: u64, signal: Signal) {
    let mut command = DESK.command(arguments);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = Pid::from_child(&child);
    let began = Instant::now();
    let row = format!("\"step\":{step},\"tokens\"");
    while !fs::read_to_string(DESK.path(run).join("metrics.jsonl")).is_ok_and(|text| text.contains(&row)) {
        assert!(began.elapsed() < Duration::from_secs(300), "no step in five minutes");
        std::thread::sleep(Duration::from_millis(2));
    }
    kill_process(pid, signal).unwrap();
    let output = child.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(130), "{out}{err}");
    assert!(out.contains(&format!("svc train --resume {run}")), "{out}");
}
