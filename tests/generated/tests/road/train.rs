//! `svc train` from a spec to a run folder.

use super::setting::{DESK, SPEC, begin};
use std::fs;
use svspec_generated_tests::run;

/// What a run leaves, by the names that scripts rely on.
const FILES: [&str; 11] = [
    "checkpoint/model.safetensors",
    "checkpoint/optimizer.safetensors",
    "checkpoint/state.json",
    "loss.svg",
    "metrics.jsonl",
    "sample.txt",
    "scales.jsonl",
    "source/src/model.rs",
    "spec/road.svspec",
    "summary.json",
    "svc.json",
];

#[test]
fn a_run_leaves_its_whole_story() {
    let said = DESK.succeed(&begin("whole", 60)).unwrap();
    let folder = DESK.path("whole");
    let missing: Vec<_> = FILES.iter().filter(|name| !folder.join(name).is_file()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(said.out.contains("whole/") && said.out.contains("metrics.jsonl"), "{}", said.out);
    assert_eq!(fs::read_to_string(folder.join("spec/road.svspec")).unwrap(), SPEC);
    assert!(fs::read_to_string(folder.join("loss.svg")).unwrap().starts_with("<svg"));

    let rows = run::losses(&folder).unwrap();
    let steps: Vec<_> =
        rows.iter().filter(|row| row.get("loss").is_some()).map(|row| row["step"].as_u64()).collect();
    assert_eq!(steps, (1..=60).map(Some).collect::<Vec<_>>());
    let validations: Vec<_> = rows.iter().filter_map(|row| row.get("val_loss")?.as_f64()).collect();
    let (first, last) = (validations[0], *validations.last().unwrap());
    assert!(last < first, "the validation loss went from {first} to {last}");
    let summary = run::json(&folder.join("summary.json")).unwrap();
    assert_eq!(summary["val_loss"].as_f64(), Some(last));
    assert_eq!(summary["steps"], 60);
}

#[test]
fn runs_without_a_name_are_numbered() {
    let train = "train road.svspec --data text.txt --device cpu --steps 2";
    DESK.succeed(train).unwrap();
    DESK.succeed(train).unwrap();
    assert!(
        DESK.path("runs/road-001/summary.json").is_file()
            && DESK.path("runs/road-002/summary.json").is_file()
    );
}
