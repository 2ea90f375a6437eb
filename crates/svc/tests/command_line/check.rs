//! `svc check`.

use crate::scene::{Scene, TINY};
use std::io::Write as _;
use std::process::Stdio;

#[test]
fn a_good_spec() {
    insta::assert_snapshot!(Scene::new().run("check tiny.svspec"));
}

#[test]
fn every_fault_of_every_file_in_one_run() {
    let scene = Scene::new();
    scene.edited("heads.svspec", "heads = 2", "heads = 3");
    scene.write(
        "typo.svspec",
        TINY.replace("width   = 16", "wdith   = 16").replace("attn_norm(x)", "atn_norm(x)"),
    );
    insta::assert_snapshot!(scene.run("check heads.svspec tiny.svspec typo.svspec"));
    let output = scene.svc("check --format json heads.svspec").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap());
}

#[test]
fn nothing_found_is_json_too() {
    let output = Scene::new().svc("check --format json tiny.svspec").output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["format_version"], 1);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn imports_are_relative_to_the_importing_file() {
    let scene = Scene::new();
    std::fs::create_dir(scene.path("deep")).unwrap();
    scene.write(
        "deep/wide.svspec",
        "svspec 1\n\nimport \"../tiny.svspec\"\n\nvariant wide of tiny {\n    width = 32\n}\n",
    );
    insta::assert_snapshot!(scene.run("check deep/wide.svspec"));
    scene.write("deep/lost.svspec", "svspec 1\n\nimport \"tiny.svspec\"\n");
    insta::assert_snapshot!(scene.run("check deep/lost.svspec"));
}

#[test]
fn standard_input() {
    let scene = Scene::new();
    let mut child = scene
        .svc("check -")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(TINY.replace("heads = 2", "heads = 3").as_bytes()).unwrap();
    insta::assert_snapshot!(scene.show(&child.wait_with_output().unwrap()));
}

#[test]
fn no_colours_in_a_pipe() {
    let scene = Scene::new();
    scene.edited("heads.svspec", "heads = 2", "heads = 3");
    assert!(!scene.run("check heads.svspec").contains('\u{1b}'));
}
