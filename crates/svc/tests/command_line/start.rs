//! `svc new` and `svc doctor`: the first commands of a new user.

use crate::scene::Scene;

#[test]
fn a_starter_spec_checks_and_builds() {
    let scene = Scene::new();
    insta::assert_snapshot!("new", scene.run("new my_model"));
    assert!(scene.run("check my_model.svspec").starts_with("exit code 0"));
    assert!(scene.run("fmt --check my_model.svspec").starts_with("exit code 0"));
    assert!(scene.run("build my_model.svspec").starts_with("exit code 0"));
    insta::assert_snapshot!("new-twice", scene.run("new my_model"));
    insta::assert_snapshot!("new-bad-name", scene.run("new ../My-Model"));
}

#[test]
fn a_spec_of_a_family_checks_and_builds() {
    let scene = Scene::new();
    for family in ["llama", "mistral", "qwen2", "qwen3"] {
        let name = format!("my_{family}");
        assert!(scene.run(&format!("new {name} --from {family}")).starts_with("exit code 0"), "{family}");
        assert_eq!(
            scene.run(&format!("check {name}.svspec")),
            "exit code 0\n--- out\n1 file checked, nothing found\n--- err\n"
        );
        assert!(scene.run(&format!("fmt --check {name}.svspec")).starts_with("exit code 0"), "{family}");
        assert!(scene.run(&format!("build {name}.svspec")).starts_with("exit code 0"), "{family}");
    }
    insta::assert_snapshot!("new-from", scene.read("my_qwen3.svspec"));
    insta::assert_snapshot!("new-from-unknown", scene.run("new other --from qwen"));
}

#[test]
fn the_doctor_names_what_is_missing() {
    let scene = Scene::new();
    let output = scene.svc("doctor --format json").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "there is no LibTorch in this home");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["format_version"], 1);
    let findings = json["findings"].as_array().unwrap();
    let torch = findings.iter().find(|finding| finding["what"] == "LibTorch").unwrap();
    assert_eq!(torch["state"], "missing");
    assert!(torch["remedy"].as_str().unwrap().contains("svc doctor --fetch"));
}
