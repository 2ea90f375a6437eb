//! Generated trainers, in `f32`: each reads what transformers saved, and computes and trains as it does.

use super::setting::CASES;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use svspec_generated_tests::crates::Crates;
use svspec_generated_tests::tensors::{self, Kind};
use svspec_parity_tests::case::Case;
use svspec_parity_tests::finding::{Computed, deviations, differences};

/// All families' trainers, compiled.
static CRATES: LazyLock<Crates> = LazyLock::new(|| {
    // The folder that everything is built in, so that LibTorch's bindings are compiled once.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let crates: Vec<_> =
        CASES.iter().map(|case| (case.model().name.clone(), case.files().unwrap())).collect();
    let crates = Crates::write(&scratch().join("crates"), target, &crates).unwrap();
    crates.cargo(&["build", "--release", "--offline", "--quiet"]).unwrap();
    crates
});

fn scratch() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("parity")
}

/// Runs a family's `command` on the reference's tokens and targets whose names start with `prefix`; the file that it
/// writes.
fn run(case: &Case, command: &str, prefix: &str) -> PathBuf {
    let folder = scratch().join("files");
    fs::create_dir_all(&folder).unwrap();
    let file = |end: &str| folder.join(format!("{}_{command}_{end}.safetensors", case.name));
    let (input, output) = (file("in"), file("out"));
    let ids = ["tokens", "targets"]
        .map(|name| (name.to_owned(), case.expected(&format!("{prefix}{name}")).unwrap().clone(), Kind::I64));
    tensors::write(&input, &ids).unwrap();
    let arguments = [Path::new(command), Path::new("--from"), &case.folder(), &input, &output];
    CRATES.run(&case.model().name, &arguments).unwrap();
    output
}

#[test]
fn trainers_compute_what_transformers_computes() {
    let mut faults = Vec::new();
    for case in CASES.iter() {
        let found = tensors::read(&run(case, "evaluate", ""), Kind::F32).unwrap();
        let foreign = |(name, tensor): (&String, &svspec_ir::eval::Tensor)| {
            name.strip_prefix("foreign_grad.").map(|name| (name.to_owned(), tensor.data.clone()))
        };
        let computed = Computed {
            logits: found.get("logits").unwrap().data.clone(),
            loss: found.get("loss").unwrap().data.iter().sum(),
            gradients: found.iter().filter_map(foreign).collect(),
        };
        faults.extend(differences(case, &computed).unwrap());
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn trainers_train_as_torch_does() {
    let mut faults = Vec::new();
    for case in CASES.iter() {
        let found = tensors::read(&run(case, "trajectory", "trajectory."), Kind::F64).unwrap();
        faults.extend(deviations(case, &found.get("losses").unwrap().data).unwrap());
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
