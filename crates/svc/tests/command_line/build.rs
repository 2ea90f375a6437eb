//! `svc build`: what it writes, and what it never writes over.

use crate::scene::Scene;

/// The lines of a listing that do not depend on what the runtime is made of.
fn without_counts(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_ascii_digit() { 'N' } else { letter })
        .collect::<String>()
        .replace("NN", "N")
}

#[test]
fn built_twice_nothing_is_rewritten() {
    let scene = Scene::new();
    insta::assert_snapshot!(without_counts(&scene.run("build tiny.svspec")));
    let before = std::fs::metadata(scene.path("build/tiny/src/model.rs")).unwrap().modified().unwrap();
    insta::assert_snapshot!(without_counts(&scene.run("build tiny.svspec")));
    let after = std::fs::metadata(scene.path("build/tiny/src/model.rs")).unwrap().modified().unwrap();
    assert_eq!(before, after);
    assert!(scene.run("build --check tiny.svspec").starts_with("exit code 0"));
}

#[test]
fn the_same_bytes_wherever_it_is_built() {
    let (one, other) = (Scene::new(), Scene::new());
    one.run("build tiny.svspec");
    other.run("build tiny.svspec --out elsewhere");
    for path in ["Cargo.toml", "Cargo.lock", "src/model.rs", "src/params.rs", ".svspec-manifest.json"] {
        assert_eq!(
            one.read(&format!("build/tiny/{path}")),
            other.read(&format!("elsewhere/{path}")),
            "{path}"
        );
    }
}

#[test]
fn check_says_what_drifted_and_writes_nothing() {
    let scene = Scene::new();
    scene.run("build tiny.svspec");
    let model = scene.read("build/tiny/src/model.rs");
    scene.write("build/tiny/src/model.rs", format!("{model}// mine\n"));
    std::fs::remove_file(scene.path("build/tiny/src/training.rs")).unwrap();
    scene.edited("tiny.svspec", "lr    = 3e-3", "lr    = 2e-3");
    insta::assert_snapshot!(scene.run("build --check tiny.svspec"));
    assert!(scene.read("build/tiny/src/model.rs").ends_with("// mine\n"));
    assert!(!scene.path("build/tiny/src/training.rs").exists());
}

#[test]
fn a_hand_edited_file_is_kept_until_force() {
    let scene = Scene::new();
    scene.run("build tiny.svspec");
    let model = scene.read("build/tiny/src/model.rs");
    let params = scene.read("build/tiny/src/params.rs");
    scene.write("build/tiny/src/model.rs", format!("{model}// mine\n"));
    scene.edited("tiny.svspec", "decay 0.1 on weight", "decay 0.2 on weight");
    insta::assert_snapshot!(scene.run("build tiny.svspec"));
    assert!(scene.read("build/tiny/src/model.rs").ends_with("// mine\n"));
    assert_eq!(scene.read("build/tiny/src/params.rs"), params, "nothing at all is written");
    assert!(scene.run("build --force tiny.svspec").starts_with("exit code 0"));
    assert!(!scene.read("build/tiny/src/model.rs").contains("// mine"));
    assert_ne!(scene.read("build/tiny/src/params.rs"), params);
}

#[test]
fn a_foreign_file_in_the_way_is_kept() {
    let scene = Scene::new();
    std::fs::create_dir_all(scene.path("mine")).unwrap();
    scene.write("mine/Cargo.toml", "[package]\nname = \"mine\"\n");
    insta::assert_snapshot!(scene.run("build tiny.svspec --out mine"));
    assert_eq!(scene.read("mine/Cargo.toml"), "[package]\nname = \"mine\"\n");
    assert!(!scene.path("mine/src").exists());
}

#[test]
fn what_is_no_longer_generated_goes_only_if_unedited() {
    let scene = Scene::new();
    scene.run("build tiny.svspec --out crate");
    let manifest = scene.read("crate/.svspec-manifest.json");
    // As an older compiler would have left it, with two more files.
    let hash = "2689367b205c16ce32ed4200942b8b8b1e262dfc70d9bc9fbc77c49699a4f1df";
    let more = format!("\"files\": {{\n    \"old/kept.rs\": \"{hash}\",\n    \"old/stale.rs\": \"{hash}\",");
    scene.write("crate/.svspec-manifest.json", manifest.replace("\"files\": {", &more));
    std::fs::create_dir(scene.path("crate/old")).unwrap();
    scene.write("crate/old/stale.rs", "ok");
    scene.write("crate/old/kept.rs", "edited");
    insta::assert_snapshot!(scene.run("build tiny.svspec --out crate --check"));
    scene.run("build tiny.svspec --out crate");
    assert!(!scene.path("crate/old/stale.rs").exists());
    assert_eq!(scene.read("crate/old/kept.rs"), "edited");
}

#[test]
fn variants_and_rewrites() {
    let scene = Scene::new();
    assert!(scene.run("build tiny.svspec --variant hg").starts_with("exit code 0"));
    assert!(scene.path("build/hg/src/model.rs").exists());
    insta::assert_snapshot!(scene.run("build tiny.svspec --variant gh"));
    insta::assert_snapshot!(scene.run("build tiny.svspec --without fuse"));
    scene.run("build tiny.svspec --without fuse_projections --out unfused");
    assert_ne!(scene.read("unfused/src/model.rs"), {
        scene.run("build tiny.svspec");
        scene.read("build/tiny/src/model.rs")
    });
}
