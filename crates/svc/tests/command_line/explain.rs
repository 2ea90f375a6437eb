//! `svc explain`.

use crate::scene::Scene;

#[test]
fn pages() {
    let scene = Scene::new();
    assert!(scene.run("explain heads-not-divisible").starts_with("exit code 0"));
    assert!(scene.run("explain").contains("heads-not-divisible"));
    insta::assert_snapshot!("explain-near", scene.run("explain heads-not-divisble"));
    assert!(scene.run("explain zzzz").starts_with("exit code 2"));
}

#[test]
fn the_proof_of_a_scale_vector() {
    let scene = Scene::new();
    insta::assert_snapshot!("explain-input", scene.run("explain attn_norm.scale tiny.svspec"));
    insta::assert_snapshot!("explain-output", scene.run("explain attn.q.out_scale tiny.svspec --variant qk"));
    insta::assert_snapshot!("explain-no-scale", scene.run("explain attn.q.in_scale tiny.svspec"));
}
