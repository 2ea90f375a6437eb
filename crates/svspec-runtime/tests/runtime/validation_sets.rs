//! Validation sets that are named besides what is held out of the training data.

use crate::runs::{Folder, options, resumption, rows, train, train_until, turn};
use crate::tiny::Tiny;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use svspec_runtime::corpus::held_out::Named;
use svspec_runtime::run::Options;

const SENTENCE: &str = "the quick brown fox jumps over the lazy dog; ";

/// A folder that is split itself, and apart from it a text of another kind.
fn texts(folder: &Folder) -> [PathBuf; 3] {
    let [data, apart] = [folder.join("data"), folder.join("apart.txt")];
    fs::create_dir(&data).unwrap();
    fs::write(data.join("train.txt"), SENTENCE.repeat(400)).unwrap();
    fs::write(data.join("val.txt"), SENTENCE.repeat(20)).unwrap();
    fs::write(&apart, "sphinx of black quartz, judge my vow. ".repeat(40)).unwrap();
    let val = data.join("val.txt");
    [data, val, apart]
}

fn named(name: &str, path: &Path) -> Named {
    Named { name: name.to_owned(), path: path.to_owned() }
}

fn observed(folder: &Folder, out: &str) -> Options {
    let [data, val, apart] = texts(folder);
    let sets = vec![named("again", &val), named("apart", &apart), named("whole", &data)];
    Options { val: sets, steps: Some(12), ..options(&data, &folder.join(out)) }
}

/// The rows of validations.
fn validations(run: &Path) -> Vec<Value> {
    rows(&run.join("metrics.jsonl")).into_iter().filter(|row| row.get("val_loss").is_some()).collect()
}

#[test]
fn each_has_a_loss_of_its_own_in_every_row_and_in_the_summary() {
    let _turn = turn();
    let folder = Folder::new("validation-sets");
    let run = folder.join("run");
    train::<Tiny>(&observed(&folder, "run")).unwrap();
    let found = validations(&run);
    assert!(found.len() > 2, "{found:?}");
    for row in &found {
        // The same bytes as what is held out, read as a text, and as a folder that says itself what is for validation.
        assert_eq!(row["val_losses"]["again"], row["val_loss"]);
        assert_eq!(row["val_losses"]["whole"], row["val_loss"]);
        assert_ne!(row["val_losses"]["apart"], row["val_loss"]);
    }
    let summary: Value =
        serde_json::from_str(&fs::read_to_string(run.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["val_losses"], found.last().unwrap()["val_losses"]);
    let losses = |place: usize| found[place]["val_losses"]["apart"].as_f64().unwrap();
    assert!(losses(found.len() - 1) < losses(0));
}

#[test]
fn a_text_without_a_split_is_read_to_its_beginning() {
    let _turn = turn();
    let folder = Folder::new("validation-sets-whole");
    // Nine tenths of it are strange: its last tenth alone is what is trained on.
    let [data, ..] = texts(&folder);
    let text = format!("{}{}", "~^".repeat(9 * 45 * 10), SENTENCE.repeat(20));
    fs::write(folder.join("mixed.txt"), text).unwrap();
    let sets = vec![named("mixed", &folder.join("mixed.txt"))];
    train::<Tiny>(&Options { val: sets, steps: Some(12), ..options(&data, &folder.join("run")) }).unwrap();
    let last = validations(&folder.join("run")).pop().unwrap();
    let loss = |row: &Value| row.as_f64().unwrap();
    assert!(loss(&last["val_losses"]["mixed"]) > loss(&last["val_loss"]) + 1.0, "{last}");
}

#[test]
fn a_run_that_is_taken_up_goes_on_with_them() {
    let _turn = turn();
    let folder = Folder::new("validation-sets-resumed");
    let whole = observed(&folder, "whole");
    train::<Tiny>(&whole).unwrap();
    let parts = Options { out: Some(folder.join("parts")), ..whole };
    train_until::<Tiny>(&parts, 5).unwrap();
    train::<Tiny>(&resumption(&folder.join("parts"))).unwrap();
    assert_eq!(validations(&folder.join("parts")), validations(&folder.join("whole")));
}

#[test]
fn a_set_that_has_changed_does_not_go_on_by_its_name() {
    let _turn = turn();
    let folder = Folder::new("validation-sets-changed");
    let run = folder.join("run");
    train_until::<Tiny>(&observed(&folder, "run"), 5).unwrap();
    let apart = folder.join("apart.txt");
    let text = fs::read_to_string(&apart).unwrap();
    fs::write(&apart, text.replacen('q', "Q", 1)).unwrap();
    let refused = train::<Tiny>(&resumption(&run)).unwrap_err().to_string();
    assert!(refused.contains("--val apart") && refused.contains("another name"), "{refused}");
    // By another name it is another curve.
    let renamed = vec![named("new", &apart)];
    train::<Tiny>(&Options { val: renamed, ..resumption(&run) }).unwrap();
    let found = validations(&run);
    let names = |row: &Value| row["val_losses"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        (names(&found[0]), names(found.last().unwrap())),
        (vec!["again".to_owned(), "apart".to_owned(), "whole".to_owned()], vec!["new".to_owned()])
    );
}

#[test]
fn what_is_no_set_is_named() {
    let _turn = turn();
    let folder = Folder::new("validation-sets-wrong");
    let [data, val, _] = texts(&folder);
    fs::write(folder.join("short.txt"), "short").unwrap();
    let refusal = |sets: Vec<Named>| {
        let wrong = Options { val: sets, ..options(&data, &folder.join("run")) };
        train::<Tiny>(&wrong).unwrap_err().to_string()
    };
    let twice = refusal(vec![named("a", &val), named("a", &data)]);
    assert!(twice.contains("two --val are called `a`"), "{twice}");
    let short = refusal(vec![named("a", &folder.join("short.txt"))]);
    assert!(short.contains("short.txt` has 5 tokens"), "{short}");
    let missing = refusal(vec![named("a", &folder.join("nothing"))]);
    assert!(missing.contains("nothing"), "{missing}");
    assert!(!folder.join("run").exists());
}
