//! Summaries as the trainer writes them in, the report out.

use super::*;
use std::path::Path;

/// The runs of a variant, with these terminal losses.
fn runs(folder: &Path, variant: &str, losses: &[f64], num_params: u64) -> Vec<Run> {
    let run = |(seed, loss): (usize, &f64)| {
        let folder = folder.join(variant).join(format!("seed-{seed}"));
        std::fs::create_dir_all(&folder).unwrap();
        let summary = serde_json::json!({
            "format_version": 1, "model": variant, "spec_hash": "", "seed": seed, "device": "cpu",
            "precision": "f32", "steps": 20, "tokens": 1280, "train_loss": null, "val_loss": loss,
            "unigram_entropy": 3.1, "tokens_per_second": 1000.0, "peak_memory_bytes": 1_000_000,
            "num_params": num_params, "num_scale_params": 48, "seconds": 1.0
        });
        std::fs::write(folder.join("summary.json"), summary.to_string()).unwrap();
        Run { variant: variant.to_owned(), seed: seed as u64, lr_scale: 1.0, folder }
    };
    losses.iter().enumerate().map(run).collect()
}

#[test]
fn differences_are_paired_by_seed() {
    let folder = tempfile::tempdir().unwrap();
    let variants = [
        runs(folder.path(), "base", &[2.0, 2.5, 3.0], 1000),
        // Far apart by seed, but always better than the baseline by about the same.
        runs(folder.path(), "better", &[1.9, 2.39, 2.9], 1048),
        runs(folder.path(), "alike", &[2.1, 2.4, 3.0], 952),
    ];
    let report = Report::read("tiny.svspec", &variants, None, 1).unwrap();
    insta::assert_snapshot!(report.markdown());
    let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
    assert_eq!(json["format_version"], 2);
    assert!(json["rows"][1]["difference"]["p_holm"].as_f64().unwrap() < 0.05);
    assert_eq!(json["rows"][1]["params_added"], 48);
    assert!(report.svg().starts_with("<svg"));
}

#[test]
fn one_seed_claims_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let variants = [runs(folder.path(), "base", &[2.0], 1000), runs(folder.path(), "hg", &[1.0], 1000)];
    let text = Report::read("tiny.svspec", &variants, None, 1).unwrap().markdown();
    assert!(text.contains("| one seed |") && text.contains("no difference can be told from noise"), "{text}");
}

#[test]
fn an_unfinished_run_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut variants = [runs(folder.path(), "base", &[2.0], 1000)];
    variants[0][0].folder = folder.path().join("nowhere");
    let error = Report::read("tiny.svspec", &variants, None, 1).unwrap_err().to_string();
    assert!(error.contains("nowhere") && error.contains("has not finished"), "{error}");
}

#[test]
fn a_run_that_diverged_is_counted_and_a_search_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let variants =
        [runs(folder.path(), "base", &[2.0, 2.5], 1000), runs(folder.path(), "wild", &[1.9, 2.4], 1000)];
    let lost = &variants[1][1];
    std::fs::remove_file(lost.folder.join("summary.json")).unwrap();
    lost.mark_diverged().unwrap();
    let trial = |lr_scale, loss| Trial { lr_scale, loss };
    let searched = vec![
        Searched::new(
            "base",
            1000,
            vec![trial(2.0, Some(2.2)), trial(0.5, Some(2.3)), trial(1.0, Some(2.1))],
            Best { lr_scale: 1.0, bracketed: true },
        ),
        Searched::new(
            "wild",
            1000,
            vec![trial(0.5, Some(2.0)), trial(1.0, None)],
            Best { lr_scale: 0.5, bracketed: false },
        ),
    ];
    let report = Report::read("tiny.svspec", &variants, Some(searched), 2).unwrap();
    insta::assert_snapshot!(report.markdown());
    assert!(report.svg().contains("diverged"));
}
