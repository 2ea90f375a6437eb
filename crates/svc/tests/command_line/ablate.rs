//! `svc ablate` where it cannot.

use crate::scene::Scene;

#[test]
fn there_must_be_something_to_compare() {
    let scene = Scene::new();
    insta::assert_snapshot!("ablate-one", scene.run("ablate tiny.svspec --variants tiny"));
    insta::assert_snapshot!("ablate-unknown", scene.run("ablate tiny.svspec --variants hgg"));
    assert!(!scene.path("runs").exists());
}

#[test]
fn a_plan_that_nothing_came_of_binds_nobody() {
    let scene = Scene::new();
    for data in ["nowhere.txt", "elsewhere.txt"] {
        let shown = scene.run(&format!("ablate tiny.svspec --data {data}"));
        assert!(shown.starts_with("exit code 2") && shown.contains(data), "{shown}");
        assert!(!shown.contains("another spec"), "{shown}");
    }
}
