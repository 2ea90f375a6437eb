//! Files that are no specs, and places that cannot be written: a clear error, no panic, nothing lost.

use crate::scene::{Scene, TINY};
use std::fmt::Write as _;

#[test]
fn files_that_are_no_specs() {
    let scene = Scene::new();
    scene.write("empty.svspec", "");
    scene.write("binary.svspec", b"svspec 1\n\0\x01\x02");
    scene.write("latin1.svspec", b"svspec 1\n// caf\xe9\n");
    scene.write("enormous.svspec", "// x\n".repeat(300_000));
    scene.write("truncated.svspec", TINY.split_at(TINY.len() / 3).0);
    std::fs::create_dir(scene.path("folder")).unwrap();
    for name in ["empty", "binary", "latin1", "enormous", "truncated", "missing"] {
        insta::assert_snapshot!(format!("bad-{name}"), scene.run(&format!("check {name}.svspec")));
    }
    insta::assert_snapshot!("bad-folder", scene.run("check folder"));
}

#[test]
fn an_unreadable_file_hides_no_faults_of_the_others() {
    let scene = Scene::new();
    scene.edited("heads.svspec", "heads = 2", "heads = 3");
    let shown = scene.run("check missing.svspec heads.svspec");
    assert!(shown.starts_with("exit code 2") && shown.contains("heads-not-divisible"), "{shown}");
}

#[test]
fn deep_nesting() {
    let scene = Scene::new();
    let deep = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
    scene.edited("deep.svspec", "stack  = 1 * layer", &format!("stack  = {deep} * layer"));
    let shown = scene.run("check deep.svspec");
    assert!(shown.starts_with("exit code 1") && shown.contains("nested-too-deeply"), "{shown:.400}");
}

#[test]
fn every_command_refuses_every_bad_file() {
    let scene = Scene::new();
    scene.write("binary.svspec", b"\x7fELF\0");
    for command in ["check", "fmt", "build", "train", "ablate", "show ir", "snapshot", "diff tiny.svspec"] {
        for (file, code) in [("binary.svspec", 2), ("missing.svspec", 2)] {
            let output = scene.svc(&format!("{command} {file}")).output().unwrap();
            assert_eq!(output.status.code(), Some(code), "svc {command} {file}");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains(file) && !said.contains("panicked"), "svc {command} {file}: {said}");
        }
    }
}

#[test]
fn places_that_cannot_be_written() {
    let scene = Scene::new();
    scene.write("file", "mine");
    insta::assert_snapshot!("bad-out", scene.run("build tiny.svspec --out file"));
    let below = scene.run("build tiny.svspec --out file/below");
    assert!(below.starts_with("exit code 2"), "{below}");
    assert_eq!(scene.read("file"), "mine");
    let shown = scene.run("show ir tiny.svspec --out nowhere/ir.txt");
    assert!(shown.starts_with("exit code 2") && shown.contains("nowhere/ir.txt"), "{shown}");
}

#[test]
fn many_specs_in_one_call() {
    let scene = Scene::new();
    let mut line = String::from("check");
    for number in 0..100 {
        scene.write(&format!("{number}.svspec"), TINY);
        let _ = write!(line, " {number}.svspec");
    }
    assert_eq!(scene.run(&line), "exit code 0\n--- out\n100 files checked, nothing found\n--- err\n");
}
