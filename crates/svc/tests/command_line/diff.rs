//! `svc diff`.

use crate::scene::Scene;

#[test]
fn the_same() {
    let scene = Scene::new();
    scene.edited("same.svspec", "decay 0.1 on weight", "decay 0.1 on weight   // as ever");
    insta::assert_snapshot!(scene.run("diff tiny.svspec same.svspec"));
}

#[test]
fn a_variant() {
    let scene = Scene::new();
    insta::assert_snapshot!(scene.run("diff tiny.svspec tiny.svspec:hg"));
}

#[test]
fn markdown_and_json() {
    let scene = Scene::new();
    scene.edited("decayed.svspec", "decay 0   on embedding", "decay 0.1 on embedding");
    insta::assert_snapshot!(scene.run("diff --format markdown tiny.svspec decayed.svspec"));
    let output = scene.svc("diff --format json tiny.svspec decayed.svspec").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["format_version"], 1);
    assert_eq!(json["comparisons"][0]["change"], "both");
    assert_eq!(json["comparisons"][0]["new"], "decayed.svspec:tiny");
}

#[test]
fn against_a_revision_imports_included() {
    let scene = Scene::new();
    scene.write(
        "wide.svspec",
        "svspec 1\n\nimport \"tiny.svspec\"\n\nvariant wide of tiny {\n    width = 32\n}\n",
    );
    scene.commit();
    assert!(scene.run("diff --base HEAD tiny.svspec wide.svspec").starts_with("exit code 0"));
    // Only the imported file changes, and the importing one with it.
    scene.edited("tiny.svspec", "hidden = 24", "hidden = 32");
    insta::assert_snapshot!(scene.run("diff --base HEAD wide.svspec"));
    assert!(
        scene
            .run("diff --base HEAD tiny.svspec:hg --format json")
            .contains("\"old\": \"HEAD:tiny.svspec:hg\"")
    );
}

#[test]
fn targets_that_came_and_went() {
    let scene = Scene::new();
    scene.commit();
    scene.edited("tiny.svspec", "variant hg of", "variant branches of");
    insta::assert_snapshot!(scene.run("diff --base HEAD tiny.svspec"));
}

#[test]
fn what_cannot_be_compared_is_2() {
    let scene = Scene::new();
    insta::assert_snapshot!("diff-one-file", scene.run("diff tiny.svspec"));
    insta::assert_snapshot!("diff-no-such-target", scene.run("diff tiny.svspec tiny.svspec:unified"));
    scene.commit();
    let output = scene.svc("diff --base nowhere tiny.svspec").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("git has no `nowhere:tiny.svspec`"));
}

#[test]
fn a_file_that_the_revision_lacks_is_new_and_hides_no_other() {
    let scene = Scene::new();
    scene.commit();
    scene.edited("tiny.svspec", "decay 0.1 on weight", "decay 0.2 on weight");
    scene.write("new.svspec", crate::scene::TINY);
    let shown = scene.run("diff --base HEAD new.svspec tiny.svspec");
    assert!(shown.starts_with("exit code 1"), "{shown}");
    for target in ["tiny", "hg", "qk"] {
        assert!(
            shown.contains(&format!("new.svspec:{target} is new: HEAD:new.svspec has no such target")),
            "{shown}"
        );
    }
    assert!(shown.contains("HEAD:tiny.svspec:tiny -> tiny.svspec:tiny"), "{shown}");
    let shown = scene.run("diff --base nope new.svspec");
    assert!(
        shown.starts_with("exit code 2") && shown.contains("nope"),
        "a revision that is not there: {shown}"
    );
}

#[test]
fn a_file_that_is_gone_from_the_disk_is_a_difference() {
    let scene = Scene::new();
    scene.write("old.svspec", crate::scene::TINY);
    scene.commit();
    std::fs::remove_file(scene.path("old.svspec")).unwrap();
    insta::assert_snapshot!("diff-gone", scene.run("diff --base HEAD old.svspec tiny.svspec"));
    assert!(scene.run("diff --base HEAD never.svspec").starts_with("exit code 2"));
}
