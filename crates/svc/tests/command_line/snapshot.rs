//! `svc snapshot`.

use crate::scene::Scene;

#[test]
fn written_then_verified_then_drifted() {
    let scene = Scene::new();
    insta::assert_snapshot!("snapshot-write", scene.run("snapshot tiny.svspec"));
    assert!(scene.run("snapshot --check tiny.svspec").starts_with("exit code 0"));
    scene.edited("tiny.svspec", "decay 0   on embedding", "decay 0.1 on embedding");
    let drifted = scene.run("snapshot --check tiny.svspec");
    assert!(drifted.starts_with("exit code 1"), "{drifted}");
    assert!(drifted.contains("+++ tiny.snapshot/tiny.md (now)"), "{drifted}");
    assert!(drifted.contains("decay 0.1 on embedding"), "{drifted}");
    assert!(drifted.contains("run `svc snapshot tiny.svspec`"), "{drifted}");
    scene.run("snapshot tiny.svspec");
    assert!(scene.run("snapshot --check tiny.svspec").starts_with("exit code 0"));
}

#[test]
fn a_target_that_is_gone_leaves_no_file() {
    let scene = Scene::new();
    scene.run("snapshot tiny.svspec");
    scene.write("tiny.snapshot/notes.md", "the reviewer's own");
    scene.edited("tiny.svspec", "variant hg of", "variant branches of");
    scene.run("snapshot tiny.svspec");
    assert!(!scene.path("tiny.snapshot/hg.md").exists());
    assert!(scene.path("tiny.snapshot/branches.md").exists());
    assert_eq!(scene.read("tiny.snapshot/notes.md"), "the reviewer's own");
    assert!(scene.run("snapshot --check tiny.svspec").starts_with("exit code 0"));
}

#[test]
fn a_missing_snapshot_is_a_finding() {
    assert!(Scene::new().run("snapshot --check tiny.svspec").starts_with("exit code 1"));
}
