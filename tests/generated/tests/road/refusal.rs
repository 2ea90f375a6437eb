//! What `svc train` cannot do: exit code 2 and a word about it, no panic, and no folder left behind.

use super::setting::DESK;
use std::fs;

const TRAIN: &str = "train road.svspec --device cpu --steps 2";

fn assert_refused(arguments: &str, words: &[&str]) {
    let faults = DESK.svc(arguments).unwrap().faults_of_refusal(words);
    assert!(faults.is_empty(), "svc {arguments}: {}", faults.join(", "));
}

#[test]
fn text_that_is_missing_or_too_short() {
    fs::write(DESK.path("short.txt"), "too short a text").unwrap();
    fs::write(DESK.path("empty.txt"), "").unwrap();
    assert_refused(&format!("{TRAIN} --data nowhere.txt --out refused"), &["nowhere.txt"]);
    for text in ["short.txt", "empty.txt"] {
        assert_refused(&format!("{TRAIN} --data {text} --out refused"), &[text, "context = 16"]);
        assert!(
            !DESK.path("refused").exists(),
            "a run that has not begun leaves nothing in the way of the next"
        );
    }
    DESK.succeed(&format!("{TRAIN} --data text.txt --out refused")).unwrap();
}

#[test]
fn a_folder_that_cannot_be_written() {
    fs::write(DESK.path("file"), "mine").unwrap();
    for out in ["file", "file/below"] {
        assert_refused(&format!("{TRAIN} --data text.txt --out {out}"), &[out]);
    }
    assert_eq!(fs::read_to_string(DESK.path("file")).unwrap(), "mine");
}

#[test]
fn a_wrong_libtorch() {
    fs::create_dir_all(DESK.path("torch/lib")).unwrap();
    fs::write(DESK.path("torch/lib/libtorch_cpu.so"), "").unwrap();
    fs::write(DESK.path("torch/build-version"), "2.4.0\n").unwrap();
    for (libtorch, word) in [("nowhere", "libtorch_cpu.so"), ("torch", "2.4.0")] {
        let mut command = DESK.command(&format!("{TRAIN} --data text.txt --out unlinked"));
        let said = DESK.run(command.env("LIBTORCH", DESK.path(libtorch))).unwrap();
        let faults = said.faults_of_refusal(&["LIBTORCH", libtorch, word, "2.11.0"]);
        assert!(faults.is_empty(), "{libtorch}: {}", faults.join(", "));
    }
    assert!(!DESK.path("unlinked").exists());
}
