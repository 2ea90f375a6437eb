//! Generated trainers: each reads the weights of the reference, and computes and trains as it does. They train in `f32`;
//! what transformers computes in `f32`, and techniques in `f64`, they compute so.

use super::setting::{FAMILIES, TECHNIQUES};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use svspec_generated_tests::crates::Crates;
use svspec_generated_tests::tensors::{self, Kind};
use svspec_parity_tests::case::Case;
use svspec_parity_tests::finding::{Computed, deviations, differences};
use svspec_parity_tests::naming::Naming;

/// All trainers, compiled.
pub static CRATES: LazyLock<Crates> = LazyLock::new(|| {
    // The folder that everything is built in, so that LibTorch's bindings are compiled once.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let cases = FAMILIES.iter().chain(TECHNIQUES.iter());
    let crates = cases.map(|case| (case.model().name.clone(), case.files().unwrap()));
    #[cfg(feature = "transformers")]
    let crates = crates.chain(exports());
    let crates: Vec<_> = crates.collect();
    let crates = Crates::write(&scratch().join("crates"), target, &crates).unwrap();
    crates.cargo(&["build", "--release", "--offline", "--quiet"]).unwrap();
    crates
});

/// The trainers of what is exported.
#[cfg(feature = "transformers")]
fn exports() -> impl Iterator<Item = (String, svspec_codegen::Files)> {
    let exports = super::setting::EXPORTS.iter();
    exports.map(|exported| (exported.model().name.clone(), exported.files().unwrap()))
}

/// What a family's trainer computes of the reference's tokens, with the weights in `folder`.
#[cfg(feature = "transformers")]
pub fn logits_from(case: &Case, folder: &Path) -> Vec<f64> {
    let mut case = case.clone();
    case.naming = Naming::Foreign(folder.to_owned());
    let found = tensors::read(&run(&case, "evaluate", "", Kind::F32), Kind::F32).unwrap();
    found.get("logits").unwrap().data.clone()
}

/// The folder that all is written in.
pub fn scratch() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("parity")
}

/// Runs a trainer's `command` on the reference's weights, in `kind` where the reference names them as we do, and its tokens and targets whose names start with `prefix`; the
/// file that it writes.
fn run(case: &Case, command: &str, prefix: &str, kind: Kind) -> PathBuf {
    let folder = scratch().join("files");
    fs::create_dir_all(&folder).unwrap();
    let file = |end: &str| folder.join(format!("{}_{command}_{end}.safetensors", case.model().name));
    let (input, output) = (file("in"), file("out"));
    let ids = |name: &str| case.expected(&format!("{prefix}{name}")).unwrap().clone();
    let mut tensors = ["tokens", "targets"].map(|name| (name.to_owned(), ids(name), Kind::I64)).to_vec();
    let mut arguments = vec![Path::new(command)];
    match &case.naming {
        Naming::Own => tensors.extend(
            case.values
                .iter()
                .map(|(instance, value)| (case.model().instance_name(*instance), value.clone(), kind)),
        ),
        Naming::Foreign(folder) => arguments.extend([Path::new("--from"), folder]),
    }
    tensors::write(&input, &tensors).unwrap();
    arguments.extend([input.as_path(), &output]);
    CRATES.run(&case.model().name, &arguments).unwrap();
    output
}

#[test]
fn trainers_compute_what_transformers_computes() {
    agree(&FAMILIES);
}

#[test]
fn trainers_compute_what_the_equations_say() {
    agree(&TECHNIQUES);
}

#[test]
fn trainers_train_as_torch_does() {
    let mut faults = Vec::new();
    for case in FAMILIES.iter().chain(TECHNIQUES.iter()) {
        let found = tensors::read(&run(case, "trajectory", "trajectory.", Kind::F32), Kind::F64).unwrap();
        faults.extend(deviations(case, &found.get("losses").unwrap().data).unwrap());
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn agree(cases: &[Case]) {
    let mut faults = Vec::new();
    for case in cases {
        let (prefix, kind) = match case.naming {
            Naming::Own => ("grad.", Kind::F64),
            Naming::Foreign(_) => ("foreign_grad.", Kind::F32),
        };
        let found = tensors::read(&run(case, "evaluate", "", kind), kind).unwrap();
        let gradient = |(name, tensor): (&String, &svspec_ir::eval::Tensor)| {
            name.strip_prefix(prefix).map(|name| (name.to_owned(), tensor.data.clone()))
        };
        let computed = Computed {
            logits: found.get("logits").unwrap().data.clone(),
            loss: found.get("loss").unwrap().data.iter().sum(),
            gradients: found.iter().filter_map(gradient).collect(),
        };
        faults.extend(differences(case, &computed).unwrap());
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
