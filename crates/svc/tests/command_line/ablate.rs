//! `svc ablate` where it cannot.

use crate::scene::Scene;

#[test]
fn there_must_be_something_to_compare() {
    let scene = Scene::new();
    insta::assert_snapshot!("ablate-one", scene.run("ablate tiny.svspec --variants tiny"));
    insta::assert_snapshot!("ablate-unknown", scene.run("ablate tiny.svspec --variants hgg"));
    assert!(!scene.path("runs").exists());
}
