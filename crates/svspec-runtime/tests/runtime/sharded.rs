//! The optimizer's state divided among processes: the same parameters as undivided, a checkpoint that does not show how many there were, and a
//! resumption with another number.

use crate::runs::{Folder, rows, state_bytes, turn};
use crate::teams::{Team, fails, finishes, spawned};
use serde_json::Value;
use std::fs;
use std::path::Path;
use svspec_runtime::tensor_file;

fn sharded(model: &str, nproc: usize, corpus: &Path, out: &Path) {
    let mut command = spawned(model, nproc, corpus, out);
    command.args(["--optimizer-state", "sharded"]);
    finishes(command);
}

/// The largest difference of two checkpoints' tensors of one file, which have the same names.
fn difference(a: &Path, b: &Path, file: &str) -> f64 {
    let read = |run: &Path| tensor_file::read(&run.join("checkpoint").join(file)).unwrap().tensors;
    let (a, b) = (read(a), read(b));
    assert!(a.keys().eq(b.keys()));
    let differences = a.iter().zip(b.values()).map(|((_, a), b)| {
        assert_eq!((a.size(), a.kind()), (b.size(), b.kind()));
        (a.to_kind(tch::Kind::Double) - b.to_kind(tch::Kind::Double)).abs().max().double_value(&[])
    });
    differences.fold(0.0, f64::max)
}

#[test]
fn two_processes_end_in_the_bits_of_undivided_ones() {
    let _turn = turn();
    let folder = Folder::new("sharded-bits");
    let corpus = folder.corpus();
    // A sum of two terms has one order, whoever gets it; and a step of AdamW or SGD is of one tensor at a time.
    for model in ["tiny", "unit"] {
        let (whole, divided) =
            (folder.join(&format!("{model}-whole")), folder.join(&format!("{model}-divided")));
        finishes(spawned(model, 2, &corpus, &whole));
        sharded(model, 2, &corpus, &divided);
        assert!(state_bytes(&whole) == state_bytes(&divided), "{model}");
    }
}

#[test]
fn muon_is_divided_by_tensors() {
    let _turn = turn();
    let folder = Folder::new("sharded-muon");
    let corpus = folder.corpus();
    let (whole, divided) = (folder.join("whole"), folder.join("divided"));
    finishes(spawned("muon", 2, &corpus, &whole));
    sharded("muon", 2, &corpus, &divided);
    // Matrices of one shape are made orthogonal in batches, in bf16, and now in other ones.
    for file in ["model.safetensors", "optimizer.safetensors"] {
        let difference = difference(&whole, &divided, file);
        assert!(difference < 2e-2, "{file}: {difference:e}");
    }
}

#[test]
fn a_step_sends_the_bytes_that_are_said() {
    let _turn = turn();
    let folder = Folder::new("sharded-bytes");
    let out = folder.join("run");
    sharded("tiny", 2, &folder.corpus(), &out);
    let summary: Value = serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap();
    let entries = 4 * summary["num_params"].as_u64().unwrap();
    // Of two processes each sends half the gradients, one its sum of them, and each its parameters; of the norms of two tables, of
    // seven matrices and three parts of scale vectors in each of two layers, and of the last vector; of the loss; and of the question whether
    // to stop: half, twice.
    let sent = (2 * (4 * (2 + 14 + 6 + 1) + 8 + 4) + entries * 3 / 2 + entries) / 2;
    for row in rows(&out.join("metrics.jsonl")).iter().filter(|row| row.get("loss").is_some()) {
        assert_eq!(row["bytes_sent"].as_u64(), Some(sent), "{row}");
    }
}

#[test]
fn another_number_of_processes_goes_on() {
    let _turn = turn();
    let folder = Folder::new("sharded-resumed");
    let (corpus, out) = (folder.corpus(), folder.join("run"));
    let divided = ["--optimizer-state", "sharded"];
    let mut team = Team::start(4, &corpus, &out, &[&divided[..], &["--steps", "100000"]].concat());
    team.wait_for_rows(&out, 20);
    team.signal(3, "TERM");
    assert!(team.ends().iter().all(|end| end.code == Some(130)));
    let before = state_bytes(&out);
    // Taken up, and stopped before a step: what was divided among four is written whole again.
    let mut team = Team::resume(2, &out);
    let step = rows(&out.join("metrics.jsonl")).iter().filter(|row| row.get("loss").is_some()).count();
    team.wait_for_rows(&out, step + 20);
    team.signal(0, "TERM");
    assert!(team.ends().iter().all(|end| end.code == Some(130)));
    assert!(before != state_bytes(&out));
    let steps = rows(&out.join("metrics.jsonl"));
    let steps: Vec<u64> =
        steps.iter().filter(|row| row.get("loss").is_some()).filter_map(|row| row["step"].as_u64()).collect();
    assert_eq!(steps, (1..=steps.len() as u64).collect::<Vec<_>>());
}

#[test]
fn a_word_that_is_neither_is_named() {
    let folder = Folder::new("sharded-words");
    let mut command = spawned("tiny", 2, &folder.corpus(), &folder.join("run"));
    command.args(["--optimizer-state", "half"]);
    assert!(fails(command).contains("--optimizer-state takes whole or sharded, not `half`"));
}
