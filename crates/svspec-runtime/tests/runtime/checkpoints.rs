//! Checkpoints that are cut, foreign, of another spec or mixed are refused by name, and the files stay as they were.

use crate::hand::Hand;
use crate::runs::{Folder, options, resumption, state_bytes, train, train_until, turn};
use crate::tiny::Tiny;
use crate::tiny_bf16::TinyBf16;
use std::fs;
use std::path::PathBuf;
use svspec_runtime::checkpoint::{self, CheckpointError};
use svspec_runtime::run::RunError;
use svspec_runtime::{Model, tensor_file};

/// A run stopped after two steps.
fn stopped(folder: &Folder) -> PathBuf {
    let run = folder.join("run");
    train_until::<Tiny>(&options(&folder.corpus(), &run), 2).unwrap();
    run
}

/// The words with which resuming `run` fails.
fn refusal(run: &std::path::Path) -> String {
    train::<Tiny>(&resumption(run)).unwrap_err().to_string()
}

#[test]
fn a_truncated_file_of_tensors_is_refused() {
    let _turn = turn();
    let folder = Folder::new("truncated");
    let run = stopped(&folder);
    for file in ["model.safetensors", "optimizer.safetensors"] {
        let path = run.join("checkpoint").join(file);
        let bytes = fs::read(&path).unwrap();
        for length in [0, 5, 100, bytes.len() - 1] {
            fs::write(&path, &bytes[..length]).unwrap();
            let words = refusal(&run);
            assert!(words.contains(file) && words.contains("not a whole safetensors file"), "{words}");
            assert_eq!(fs::read(&path).unwrap().len(), length);
        }
        fs::write(&path, &bytes).unwrap();
    }
    train::<Tiny>(&resumption(&run)).unwrap();
}

#[test]
fn a_foreign_record_or_none_is_refused() {
    let _turn = turn();
    let folder = Folder::new("foreign");
    let run = stopped(&folder);
    let path = run.join("checkpoint/state.json");
    let text = fs::read_to_string(&path).unwrap();
    for foreign in
        ["", "{}", "[1, 2]", "\u{0}\u{1}", &text.replace("\"format_version\": 2", "\"format_version\": 9")]
    {
        fs::write(&path, foreign).unwrap();
        let words = refusal(&run);
        assert!(words.contains("state.json` is not a checkpoint's record"), "{words}");
    }
    // As version 1 was: one path.
    let mut older: serde_json::Value = serde_json::from_str(&text).unwrap();
    older["format_version"] = 1.into();
    older["data"] = "text.txt".into();
    fs::write(&path, older.to_string()).unwrap();
    let words = refusal(&run);
    assert!(words.contains("its format_version is 1, and this trainer reads 2"), "{words}");
    fs::remove_file(&path).unwrap();
    assert!(refusal(&run).contains("holds no checkpoint"), "{}", refusal(&run));
    assert!(refusal(&folder.join("nowhere")).contains("holds no checkpoint"));
}

#[test]
fn another_spec_is_refused() {
    let _turn = turn();
    let folder = Folder::new("other-spec");
    let run = stopped(&folder);
    let before = state_bytes(&run);
    let error = train::<TinyBf16>(&resumption(&run)).unwrap_err();
    assert!(matches!(&error, RunError::Checkpoint(CheckpointError::OtherSpec { .. })), "{error}");
    assert!(
        error.to_string().contains("`tiny` with the spec hash 001122334455")
            && error.to_string().contains("`tiny_bf16`")
            && error.to_string().contains(&format!("`svc train SPEC --resume {}`", run.display())),
        "{error}"
    );
    assert!(state_bytes(&run) == before);
}

#[test]
fn files_of_two_moments_are_refused() {
    let _turn = turn();
    let folder = Folder::new("mixed");
    let run = stopped(&folder);
    let other = folder.join("other");
    train_until::<Tiny>(&options(&folder.corpus(), &other), 3).unwrap();
    fs::copy(other.join("checkpoint/optimizer.safetensors"), run.join("checkpoint/optimizer.safetensors"))
        .unwrap();
    assert!(
        refusal(&run).contains("is of step 3, and `state.json` beside it of step 2"),
        "{}",
        refusal(&run)
    );
}

#[test]
fn tensors_of_other_names_or_shapes_are_refused() {
    let _turn = turn();
    let folder = Folder::new("misfits");
    let run = stopped(&folder);
    let path = run.join("checkpoint/model.safetensors");
    let whole = tensor_file::read(&path).unwrap();
    let note = || Some(("step", whole.notes["step"].clone()));
    let tensors = || whole.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
    let without: Vec<_> = tensors().filter(|(name, _)| name != "layers.1.mlp_norm.scale").collect();
    tensor_file::write(&path, &without, note()).unwrap();
    assert!(refusal(&run).contains("there is no tensor `layers.1.mlp_norm.scale`"), "{}", refusal(&run));
    let flat: Vec<_> = tensors().map(|(name, tensor)| (name, tensor.flatten(0, -1))).collect();
    tensor_file::write(&path, &flat, note()).unwrap();
    assert!(
        refusal(&run).contains("`embed.weight` has the shape [8192], and the model's has [256, 32]"),
        "{}",
        refusal(&run)
    );
}

#[test]
fn a_checkpoint_that_cannot_be_written_leaves_the_one_before() {
    let _turn = turn();
    let folder = Folder::new("unwritable");
    let run = stopped(&folder);
    let before = state_bytes(&run);
    // A file where the new checkpoint's folder has to go.
    fs::write(run.join("checkpoint.unfinished"), "").unwrap();
    let words = refusal(&run);
    assert!(words.contains("checkpoint.unfinished"), "{words}");
    assert!(state_bytes(&run) == before);
    fs::remove_file(run.join("checkpoint.unfinished")).unwrap();
    train::<Tiny>(&resumption(&run)).unwrap();
}

#[test]
fn a_crash_between_the_two_renames_loses_nothing() {
    let _turn = turn();
    let folder = Folder::new("renames");
    let run = stopped(&folder);
    fs::rename(run.join("checkpoint"), run.join("checkpoint.previous")).unwrap();
    let record = checkpoint::load_record(&run, <Hand<Tiny> as Model>::SPEC).unwrap();
    assert_eq!(record.step, 2);
    train::<Tiny>(&resumption(&run)).unwrap();
    assert!(!run.join("checkpoint.previous").exists() && run.join("checkpoint").exists());
}
