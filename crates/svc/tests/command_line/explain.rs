//! `svc explain`.

use crate::scene::Scene;

#[test]
fn pages() {
    let scene = Scene::new();
    assert!(scene.run("explain heads-not-divisible").starts_with("exit code 0"));
    assert!(scene.run("explain").contains("heads-not-divisible"));
    insta::assert_snapshot!(scene.run("explain heads-not-divisble"));
    assert!(scene.run("explain zzzz").starts_with("exit code 2"));
}
