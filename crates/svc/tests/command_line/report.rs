//! `svc report`.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set up fails its test")]

use crate::scene::Scene;
use std::fmt::Write as _;

/// A run's folder as a trainer leaves it after two validations.
fn run(scene: &Scene, name: &str, loss: f64) {
    std::fs::create_dir_all(scene.path(name)).unwrap();
    let mut metrics = String::from("{\"step\":0,\"val_loss\":5.5}\n");
    for step in 1..=20 {
        let loss = loss + 10.0 / f64::from(step);
        writeln!(
            metrics,
            "{{\"step\":{step},\"tokens\":{},\"loss\":{loss},\"lr\":1e-3,\"grad_norm\":0.5,\"tokens_per_second\":1e4,\"seconds\":1.0}}",
            step * 256
        )
        .unwrap();
    }
    writeln!(metrics, "{{\"step\":20,\"val_loss\":{loss}}}\n{{\"step\":21,\"lo").unwrap();
    scene.write(&format!("{name}/metrics.jsonl"), metrics);
    let scales = [(0, 1.0), (20, 1.25)].map(|(step, mean)| {
        format!(
            "{{\"step\":{step},\"name\":\"layers.0.attn_norm.scale\",\"role\":\"input\",\"norm\":4.0,\"mean\":{mean},\"min\":0.5,\"max\":2.0,\"anisotropy\":0.01}}\n"
        )
    });
    scene.write(&format!("{name}/scales.jsonl"), scales.concat());
}

#[test]
fn runs_are_drawn_over_one_another() {
    let scene = Scene::new();
    run(&scene, "one", 2.0);
    run(&scene, "two", 1.5);
    insta::assert_snapshot!("report-two-runs", scene.run("report one two --out page.html"));
    let page = scene.read("page.html");
    // Losses, gradient norm, rate, speed; mean, norm and anisotropy of the one role that there is.
    assert_eq!(page.matches("<svg").count(), 7);
    for word in ["one", "two", "1.2500", "2.0000", "not finished", "scale vectors"] {
        assert!(page.contains(word), "{word}");
    }
    assert!(!page.contains("src=") && !page.contains("href="), "the page loads something");
    insta::assert_snapshot!("report-again", scene.run("report one --out page.html"));
    insta::assert_snapshot!("report-one-run", scene.run("report one"));
}

#[test]
fn what_is_no_run_and_what_is_no_report_stays_as_it_is() {
    let scene = Scene::new();
    run(&scene, "one", 2.0);
    scene.write("mine.html", "<p>mine</p>");
    insta::assert_snapshot!("report-over-another-file", scene.run("report one --out mine.html"));
    assert_eq!(scene.read("mine.html"), "<p>mine</p>");
    insta::assert_snapshot!("report-no-run", scene.run("report nowhere"));
}
