//! The trainer as a program: exit codes, words, signals, limits of the system, and the door for comparisons.

use crate::hand::Hand;
use crate::runs::{Folder, rows, turn};
use crate::tiny::Tiny;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;
use svspec_runtime::{Model, Params, tensor_file};
use tch::{Device, Kind, Tensor};

/// `examples/tiny.rs`, which cargo builds beside the tests.
pub fn trainer() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(|deps| deps.parent()).unwrap().join("examples/tiny")
}

fn run(arguments: &[&str]) -> Output {
    Command::new(trainer()).args(arguments).output().unwrap()
}

fn fails(arguments: &[&str], words: &str) {
    let output = run(arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.starts_with("error: ") && stderr.contains(words) && stderr.lines().count() == 1,
        "{stderr}"
    );
}

#[test]
fn faults_are_one_line_and_exit_code_2() {
    let folder = Folder::new("faults");
    let short = folder.join("short.txt");
    fs::write(&short, "too short").unwrap();
    fails(&[], "pass --data");
    fails(&["--data"], "--data needs a value");
    fails(&["--stepz", "3"], "unknown argument `--stepz`");
    fails(&["--steps", "three"], "--steps takes a whole number, not `three`");
    fails(&["--threads", "0"], "--threads takes a number above 0");
    fails(&["--lr-scale", "0"], "--lr-scale takes a number above 0, not `0`");
    fails(&["--lr-scale", "nan"], "--lr-scale takes a number above 0, not `nan`");
    fails(&["--device", "tpu"], "not `tpu`");
    fails(&["--data", "/nowhere/at/all"], "cannot read the corpus `/nowhere/at/all`");
    fails(&["--data", short.to_str().unwrap()], "a window of context = 32 needs 33");
    fails(
        &["--data", folder.corpus().to_str().unwrap(), "--out", "/proc/nowhere"],
        "cannot make the run folder `/proc/nowhere`",
    );
    fails(&["--resume", folder.0.to_str().unwrap()], "holds no checkpoint");
    fails(&["evaluate", "in"], "takes [--device WHICH] [--from DIR] IN.safetensors OUT.safetensors");
    fails(&["evaluate", "--device", "tpu", "in", "out"], "--device takes cpu, cuda or auto, not `tpu`");
    fails(&["evaluate", "/nowhere/in", "out"], "cannot read `/nowhere/in`");
    fails(&["trajectory", "in"], "takes [--device WHICH] [--from DIR] IN.safetensors OUT.safetensors");
    fails(
        &["--data", folder.corpus().to_str().unwrap(), "--init-from", "/nowhere"],
        "`tiny` says nothing of tensors in other checkpoints",
    );
    fails(&["--resume", "run", "--init-from", "there"], "leave out --init-from");
}

#[test]
fn help_names_every_option() {
    let output = run(&["--help"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for option in [
        "--data",
        "--out",
        "--resume",
        "--steps",
        "--seed",
        "--lr-scale",
        "--device",
        "--threads",
        "--quiet",
        "evaluate",
        "trajectory",
        "--init-from",
    ] {
        assert!(text.contains(option), "{option} is not in\n{text}");
    }
}

#[test]
fn a_loss_that_runs_away_has_an_exit_code_of_its_own() {
    let _turn = turn();
    let folder = Folder::new("diverged");
    let (corpus, out) = (folder.corpus(), folder.join("run"));
    let output = run(&[
        "--data",
        corpus.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
        "--quiet",
        "--lr-scale",
        "1e30",
    ]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.starts_with("error: training stopped at step "), "{stderr}");
    assert!(!out.join("summary.json").exists());
}

#[test]
fn a_signal_leaves_a_checkpoint_and_the_run_goes_on() {
    let _turn = turn();
    let folder = Folder::new("signal");
    let (corpus, out) = (folder.corpus(), folder.join("run"));
    let (corpus, out_text) = (corpus.to_str().unwrap(), out.to_str().unwrap());
    let steps = ["--steps", "100000", "--quiet"];
    let mut child =
        Command::new(trainer()).args(["--data", corpus, "--out", out_text]).args(steps).spawn().unwrap();
    while !out.join("metrics.jsonl").metadata().is_ok_and(|file| file.len() > 1000) {
        still_runs(&mut child);
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let before = rows(&out.join("metrics.jsonl")).len();

    let mut child = Command::new(trainer()).args(["--resume", out_text, "--quiet"]).spawn().unwrap();
    while rows_so_far(&out.join("metrics.jsonl")) <= before {
        still_runs(&mut child);
    }
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let steps: Vec<u64> = rows(&out.join("metrics.jsonl"))
        .iter()
        .filter(|row| row.get("loss").is_some())
        .map(|row| row["step"].as_u64().unwrap())
        .collect();
    assert_eq!(steps, (1..=steps.len() as u64).collect::<Vec<_>>(), "rows without gap or repetition");
}

/// Waits a little for a trainer that has not ended by itself.
fn still_runs(trainer: &mut Child) {
    assert_eq!(trainer.try_wait().unwrap(), None, "the trainer ended before it was told to");
    thread::sleep(Duration::from_millis(20));
}

fn rows_so_far(path: &std::path::Path) -> usize {
    fs::read_to_string(path).unwrap().matches('\n').count()
}

#[test]
fn a_file_that_cannot_grow_ends_the_run_and_leaves_the_last_checkpoint() {
    let _turn = turn();
    let folder = Folder::new("full-disk");
    let (corpus, out) = (folder.corpus(), folder.join("run"));
    let arguments = format!("--data {} --out {} --quiet", corpus.display(), out.display());
    let tiny = trainer();
    // The checkpoint is larger than the 64 KiB that the shell allows a file; the system then refuses to write, as a full disk does.
    let script = format!("trap '' XFSZ; ulimit -f 64; exec {} {arguments} --steps 3", tiny.display());
    let output = Command::new("bash").args(["-c", &script]).stdin(Stdio::null()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("cannot write") && stderr.contains("model.safetensors"), "{stderr}");
    assert!(!out.join("checkpoint.unfinished").exists());
}

#[test]
fn evaluate_writes_logits_loss_and_gradients_in_the_kind_given() {
    let _turn = turn();
    let folder = Folder::new("evaluate");
    let spec = <Hand<Tiny> as Model>::SPEC;
    let params = Params::init(spec, 3, Device::Cpu);
    let mut tensors: Vec<(String, Tensor)> = params
        .iter()
        .map(|param| (param.name.clone(), param.tensor.detach().to_kind(Kind::Double)))
        .collect();
    let ids = Tensor::from_slice(&[104_i64, 101, 108, 108, 111, 33]).view([2, 3]);
    tensors.push(("tokens".to_owned(), ids.shallow_clone()));
    tensors.push(("targets".to_owned(), ids.roll([-1], [1])));
    let (input, output) = (folder.join("in.safetensors"), folder.join("out.safetensors"));
    let evaluate = |tensors: &[(String, Tensor)]| {
        tensor_file::write(&input, tensors, None).unwrap();
        let status = run(&["evaluate", input.to_str().unwrap(), output.to_str().unwrap()]);
        assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
        tensor_file::read(&output).unwrap().tensors
    };
    let results = evaluate(&tensors);
    assert_eq!((results["logits"].kind(), results["logits"].size()), (Kind::Double, vec![2, 3, 256]));
    assert_eq!((results["loss"].kind(), results["loss"].size()), (Kind::Double, vec![]));
    assert_eq!(results.len(), 2 + params.iter().len());

    // The gradient of one weight against a central difference.
    let name = "layers.0.attn_norm.scale.direction";
    let gradient = results[&format!("grad.{name}")].double_value(&[5]);
    let loss_at = |shift: f64| {
        let shifted: Vec<_> = tensors
            .iter()
            .map(|(found, tensor)| {
                let tensor = tensor.copy();
                if found == name {
                    let _ = tensor.get(5).g_add_scalar_(shift);
                }
                (found.clone(), tensor)
            })
            .collect();
        evaluate(&shifted)["loss"].double_value(&[])
    };
    let difference = (loss_at(1e-4) - loss_at(-1e-4)) / 2e-4;
    assert!((gradient - difference).abs() < 1e-8 + 1e-5 * gradient.abs(), "{gradient} against {difference}");

    tensors.push(("bonus".to_owned(), ids));
    tensor_file::write(&input, &tensors, None).unwrap();
    fails(
        &["evaluate", input.to_str().unwrap(), output.to_str().unwrap()],
        "holds `bonus`, which the model does not have",
    );
}
