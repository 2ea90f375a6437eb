//! `svc fmt`.

use crate::scene::{Scene, TINY};

#[test]
fn check_and_diff_write_nothing() {
    let scene = Scene::new();
    scene.edited("ugly.svspec", "    vocab   = 256", "  vocab=256");
    let before = scene.read("ugly.svspec");
    insta::assert_snapshot!(scene.run("fmt --check tiny.svspec ugly.svspec"));
    insta::assert_snapshot!(scene.run("fmt --diff tiny.svspec ugly.svspec"));
    assert_eq!(scene.read("ugly.svspec"), before);
}

#[test]
fn formatting_is_in_place_and_done_once() {
    let scene = Scene::new();
    scene.edited("ugly.svspec", "    vocab   = 256", "  vocab=256");
    insta::assert_snapshot!(scene.run("fmt tiny.svspec ugly.svspec"));
    assert_eq!(scene.read("ugly.svspec"), TINY);
    assert!(scene.run("fmt --check ugly.svspec").starts_with("exit code 0"));
}

#[test]
fn a_broken_file_is_left_as_it_is() {
    let scene = Scene::new();
    scene.edited("broken.svspec", "stack  = 1 * layer", "stack  = 1 *");
    let before = scene.read("broken.svspec");
    insta::assert_snapshot!(scene.run("fmt broken.svspec"));
    assert_eq!(scene.read("broken.svspec"), before);
}
