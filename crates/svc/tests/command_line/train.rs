//! `svc train` where it cannot: every way to fail before LibTorch is needed, or because of it.

use crate::scene::Scene;

#[test]
fn a_wrong_libtorch_is_named() {
    let scene = Scene::new();
    let run = |folder: &str| {
        let output = scene.svc("train tiny.svspec").env("LIBTORCH", scene.path(folder)).output().unwrap();
        scene.show(&output)
    };
    insta::assert_snapshot!("train-no-libtorch", run("nowhere"));
    std::fs::create_dir_all(scene.path("old/lib")).unwrap();
    scene.write("old/lib/libtorch_cpu.so", "");
    scene.write("old/build-version", "1.13.1+cpu\n");
    insta::assert_snapshot!("train-old-libtorch", run("old"));
    assert!(!scene.path("runs").exists(), "a run that cannot begin leaves no folder");
}

#[test]
fn no_network_says_what_to_do() {
    let scene = Scene::new();
    scene.write(
        "offline",
        "#!/bin/sh\necho 'ERROR: Could not find a version that satisfies torch==2.11.0' >&2\nexit 1\n",
    );
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(scene.path("offline"), mode).unwrap();
    let output = scene.svc("train tiny.svspec").env("PYTHON", scene.path("offline")).output().unwrap();
    insta::assert_snapshot!(scene.show(&output));
    let left: Vec<_> = std::fs::read_dir(scene.path("home/.libtorch")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn no_python_says_what_to_do() {
    let scene = Scene::new();
    let output = scene.svc("train tiny.svspec").env("PYTHON", "no-such-python").output().unwrap();
    let shown = scene.show(&output);
    assert!(shown.starts_with("exit code 2") && shown.contains("python3-pip"), "{shown}");
}

#[test]
fn missing_data_and_runs_are_named() {
    let scene = Scene::new();
    insta::assert_snapshot!("train-no-data", scene.run("train tiny.svspec --data nowhere.txt"));
    insta::assert_snapshot!("train-no-run", scene.run("train --resume runs/tiny-007"));
    std::fs::create_dir(scene.path("full")).unwrap();
    insta::assert_snapshot!("train-no-run-of-ours", scene.run("train --resume full"));
}

#[test]
fn faults_come_before_everything_else() {
    let scene = Scene::new();
    scene.edited("heads.svspec", "heads = 2", "heads = 3");
    assert!(scene.run("train heads.svspec").starts_with("exit code 1"));
}
