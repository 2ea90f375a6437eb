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

#[test]
fn a_folder_that_is_taken_is_said_before_anything_is_compiled() {
    let scene = Scene::new();
    std::fs::create_dir(scene.path("taken")).unwrap();
    scene.write("taken/mine", "");
    scene.write("file", "mine");
    for out in ["taken", "file"] {
        let shown = scene.run(&format!("train tiny.svspec --out {out}"));
        assert!(shown.starts_with("exit code 2") && shown.contains(&format!("`{out}` is")), "{shown}");
        assert!(!scene.path("build").exists(), "{out}");
    }
}

#[test]
fn a_signal_ends_the_compilers_too() {
    let scene = Scene::new();
    std::fs::create_dir_all(scene.path("torch/lib")).unwrap();
    scene.write("torch/lib/libtorch_cpu.so", "");
    // A cargo that says where it is, and compiles for ever by a process of its own.
    scene.write(
        "cargo",
        "#!/bin/sh\ncase $1 in metadata) echo '{\"packages\":[]}';; *) sleep 600 & echo $! > compiler; wait;; esac\n",
    );
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(scene.path("cargo"), mode).unwrap();
    let mut command = scene.svc("train tiny.svspec");
    command.env("CARGO", scene.path("cargo")).env("LIBTORCH", scene.path("torch"));
    let child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let compiler = loop {
        let text = std::fs::read_to_string(scene.path("compiler")).unwrap_or_default();
        if text.ends_with('\n') {
            break text.trim().to_owned();
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM)
        .unwrap();
    let shown = scene.show(&child.wait_with_output().unwrap());
    assert!(shown.starts_with("exit code 130") && shown.contains("stopped while compiling"), "{shown}");
    // A process that was killed takes a moment to end, and one that nobody has waited for yet is there still, as a zombie.
    let began = std::time::Instant::now();
    loop {
        let state = std::fs::read_to_string(format!("/proc/{compiler}/stat")).unwrap_or_default();
        if state.is_empty() || state.contains(") Z ") {
            break;
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "the compiler goes on: {state}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
