//! `svc ablate`: a report of equal runs, none of them done twice.

use super::setting::DESK;
use serde_json::Value;
use std::fs;
use std::time::SystemTime;
use svspec_generated_tests::run;

const ABLATE: &str =
    "ablate road.svspec --variants road_hg --seeds 2 --steps 20 --data text.txt --device cpu --out ablation";

#[test]
fn variants_are_compared_and_nothing_is_done_twice() {
    DESK.succeed(ABLATE).unwrap();
    let report = run::json(&DESK.path("ablation/report.json")).unwrap();
    assert_eq!(report["seeds"], serde_json::json!([0, 1]));
    assert_eq!(report["steps"], 20);
    let rows = report["rows"].as_array().unwrap();
    let names: Vec<&Value> = rows.iter().map(|row| &row["variant"]).collect();
    assert_eq!(names, ["road", "road_hg"]);
    // Five vectors of one layer in place of two, each of the width.
    assert_eq!(rows[1]["params_added"], (5 - 2) * 16);
    for row in rows {
        let losses: Vec<f64> = row["losses"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
        let mean = f64::midpoint(losses[0], losses[1]);
        // Of two values, the standard error of the mean is half their distance.
        let standard_error = (losses[0] - losses[1]).abs() / 2.0;
        assert!((row["loss"]["mean"].as_f64().unwrap() - mean).abs() < 1e-12, "{row}");
        assert!((row["loss"]["standard_error"].as_f64().unwrap() - standard_error).abs() < 1e-12, "{row}");
    }
    for seed in ["seed-0", "seed-1"] {
        // Branch-specific vectors start as the shared ones do, so equal initialisations are equal functions.
        assert_eq!(first_validation("road", seed), first_validation("road_hg", seed), "{seed}");
    }
    assert_ne!(first_validation("road", "seed-0"), first_validation("road", "seed-1"));
    let markdown = fs::read_to_string(DESK.path("ablation/report.md")).unwrap();
    assert!(markdown.contains("road_hg") && markdown.contains("| "), "{markdown}");
    assert!(fs::read_to_string(DESK.path("ablation/report.svg")).unwrap().starts_with("<svg"));

    let before = moments();
    DESK.succeed(ABLATE).unwrap();
    assert_eq!(moments(), before, "a finished run was done again");
    assert_eq!(run::json(&DESK.path("ablation/report.json")).unwrap(), report);
}

/// In bits, which are the same or not.
fn first_validation(variant: &str, seed: &str) -> u64 {
    let rows = run::losses(&DESK.path("ablation").join(variant).join(seed)).unwrap();
    rows.iter().find_map(|row| row.get("val_loss")?.as_f64()).unwrap().to_bits()
}

/// When the summary of each run was written.
fn moments() -> Vec<SystemTime> {
    let summary = |(variant, seed)| DESK.path("ablation").join(variant).join(seed).join("summary.json");
    [("road", "seed-0"), ("road", "seed-1"), ("road_hg", "seed-0"), ("road_hg", "seed-1")]
        .map(|run| fs::metadata(summary(run)).unwrap().modified().unwrap())
        .into()
}
