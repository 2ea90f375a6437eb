//! `svc ablate`: a report of equal runs, none of them done twice.

use super::setting::DESK;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::thread;
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

/// Searches each variant's rate, one of the two far too large, and trains two runs at a time.
const SEARCH: &str = "ablate road.svspec --variants road_hg --seeds 2 --steps 10 --lr-scales 0.5,1,1e30 --jobs 2 \
                      --data text.txt --device cpu --out searched";

#[test]
fn two_commands_at_one_queue_search_a_rate_and_do_no_run_twice() {
    let said = thread::scope(|scope| {
        let commands = [(); 2].map(|()| scope.spawn(|| DESK.succeed(SEARCH).unwrap()));
        commands.map(|command| command.join().unwrap())
    });
    let report = run::json(&DESK.path("searched/report.json")).unwrap();
    for (row, searched) in report["rows"].as_array().unwrap().iter().zip(report["search"].as_array().unwrap())
    {
        // The largest diverges. Where the smallest is the best, smaller ones are tried.
        let trials = searched["trials"].as_array().unwrap();
        let tried: Vec<(f64, Option<f64>)> = trials
            .iter()
            .map(|trial| (trial["lr_scale"].as_f64().unwrap(), trial["loss"].as_f64()))
            .collect();
        assert_eq!(tried.last().unwrap(), &(1e30, None), "{searched}");
        let best = tried.iter().filter_map(|(lr_scale, loss)| Some((*lr_scale, (*loss)?)));
        let best = best.min_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap();
        assert_eq!(searched["lr_scale"].as_f64().unwrap(), best.0, "{searched}");
        assert_eq!(row["lr_scale"], searched["lr_scale"]);
        assert_eq!(searched["seed"], 1000);
        assert_eq!(row["losses"].as_array().unwrap().len(), 2);
    }
    // Each run is said to have ended once, by whichever command did it.
    let ended: Vec<&str> = said.iter().flat_map(|said| said.err.lines()).filter_map(end_of_run).collect();
    let distinct: BTreeSet<&str> = ended.iter().copied().collect();
    assert_eq!(ended.len(), distinct.len(), "{said:?}");
    let num_trials: usize =
        report["search"].as_array().unwrap().iter().map(|of| of["trials"].as_array().unwrap().len()).sum();
    assert_eq!(distinct.len(), num_trials + 2 * 2, "{said:?}");
}

/// The run's name, in a line that says how it ended.
fn end_of_run(line: &str) -> Option<&str> {
    let ended = line.split_once(": validation loss ").or_else(|| line.split_once(" diverged"));
    ended.map(|(name, _)| name).filter(|name| name.starts_with("road"))
}
