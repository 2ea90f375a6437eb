//! `svc show`.

use crate::scene::Scene;

const STAGES: [&str; 7] = ["params", "groups", "roles", "cost", "ir", "resolved", "schedule"];

#[test]
fn every_stage_as_text() {
    let scene = Scene::new();
    for stage in STAGES {
        insta::assert_snapshot!(
            format!("show-{stage}"),
            scene.run(&format!("show {stage} tiny.svspec --variant hg"))
        );
    }
    insta::assert_snapshot!("show-ir-optimised", scene.run("show ir tiny.svspec --variant hg --optimised"));
}

#[test]
fn every_stage_as_json() {
    let scene = Scene::new();
    for stage in STAGES {
        let output = scene.svc(&format!("show {stage} tiny.svspec --format json")).output().unwrap();
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["format_version"], 1, "{stage}");
    }
}

#[test]
fn the_graph_is_a_picture() {
    let scene = Scene::new();
    assert!(scene.run("show graph tiny.svspec -o graph.svg").starts_with("exit code 0"));
    assert!(scene.read("graph.svg").starts_with("<svg"));
    insta::assert_snapshot!(scene.run("show graph tiny.svspec --format json"));
}

#[test]
fn schedules_are_drawn_too_and_other_stages_are_not() {
    let scene = Scene::new();
    assert!(scene.run("show schedule tiny.svspec --format svg -o schedule.svg").starts_with("exit code 0"));
    assert!(scene.read("schedule.svg").starts_with("<svg"));
    insta::assert_snapshot!(scene.run("show groups tiny.svspec --format svg"));
}
