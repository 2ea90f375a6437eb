//! Runs of trainers, exported: transformers loads each folder, with no tensor missing or left over, and computes what the
//! trainer does. This is live: it needs Python, and is a test of `cargo xtask parity` alone.

use super::generated::{CRATES, logits_from, scratch};
use super::setting::{EXPORTS, FAMILIES};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use svspec_generated_tests::door::{self, Batch};
use svspec_generated_tests::svc::Desk;
use svspec_generated_tests::tensors::{self, Kind};
use svspec_ir::Model;
use svspec_ir::eval::{self, Tensor, Values, random_tokens, random_values};
use svspec_parity_tests::case::Case;
use svspec_parity_tests::exported::{self, Exported, family_of};
use svspec_parity_tests::finding::logit_fault;

/// A folder that `svc export` wrote, and what we compute.
struct Sent {
    folder: PathBuf,
    tokens: Tensor,
    logits: Vec<f64>,
}

#[test]
fn transformers_computes_what_was_exported() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let desk = Desk::set(&scratch().join("exports"), target).unwrap();
    let mut sent: Vec<Sent> = FAMILIES.iter().filter_map(|case| send_case(&desk, case)).collect();
    sent.extend(EXPORTS.iter().map(|exported| send_folded(&desk, exported)));
    sent.extend(others().iter().map(|family| send_small(&desk, family)));
    sent.push(send_rounded(&desk));
    for sent in &sent {
        let tokens = [("tokens".to_owned(), sent.tokens.clone(), Kind::I64)];
        tensors::write(&sent.folder.join("tokens.safetensors"), &tokens).unwrap();
    }
    load(&sent);
    let fault = |sent: &Sent| {
        let found = tensors::read(&sent.folder.join("logits.safetensors"), Kind::F32).unwrap();
        let name = sent.folder.file_name().unwrap().to_string_lossy();
        // What is rounded computes something else; the script compares its weights.
        let is_compared = !name.ends_with("_bf16");
        logit_fault(&name, &found.get("logits").unwrap().data, &sent.logits).filter(|_| is_compared)
    };
    let faults: Vec<String> = sent.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A family's tiny case. A trainer that begins with what was exported begins as with what transformers saved.
fn send_case(desk: &Desk, case: &Case) -> Option<Sent> {
    let family = family_of(case).unwrap()?;
    run(&desk.path(&case.name), &case.file(), &case.model().name, case.model(), &case.values);
    let folder = export(desk, &case.name, &family);
    let logits = logits_from(case, case.folder().unwrap());
    assert_eq!(logits, logits_from(case, &folder), "{}: the trainer reads something else", case.name);
    Some(Sent { folder, tokens: case.expected("tokens").unwrap().clone(), logits })
}

/// A model with vectors that fold, by its trainer.
fn send_folded(desk: &Desk, exported: &Exported) -> Sent {
    let (folder, values, tokens) = send(desk, exported);
    let batch = Batch { tokens: tokens.clone(), targets: tokens.clone() };
    let files = scratch().join("files");
    let found = door::evaluate(&CRATES, &files, exported.model(), &values, &batch, Kind::F32).unwrap();
    Sent { folder, tokens, logits: found.get("logits").unwrap().data.clone() }
}

/// The small model of a family that no case is of, by the evaluator.
fn send_small(desk: &Desk, family: &str) -> Sent {
    let name = format!("small_{family}");
    desk.succeed(&format!("new {name} --from {family}")).unwrap();
    let exported = Exported::read(&desk.path(&format!("{name}.svspec")), &name, family).unwrap();
    let (folder, values, tokens) = send(desk, &exported);
    let logits = eval::forward(exported.model(), &values, &tokens, &tokens).logits.data;
    Sent { folder, tokens, logits }
}

/// The families that no case is of.
fn others() -> Vec<String> {
    let of_cases: BTreeSet<String> = FAMILIES.iter().filter_map(|case| family_of(case).unwrap()).collect();
    let mut families = exported::families().unwrap();
    families.retain(|family| !of_cases.contains(family));
    families
}

/// A folded model once more, rounded.
fn send_rounded(desk: &Desk) -> Sent {
    desk.succeed("export dp_or --to dp_or_hf_bf16 --family llama --dtype bf16").unwrap();
    let model = EXPORTS.iter().find(|exported| exported.target == "dp_or").unwrap().model();
    Sent { folder: desk.path("dp_or_hf_bf16"), tokens: random_tokens(model, 1, 4, 3), logits: Vec::new() }
}

/// A run of a model with random weights, exported.
fn send(desk: &Desk, exported: &Exported) -> (PathBuf, Values, Tensor) {
    let model = exported.model();
    let mut values = random_values(model, 7);
    for value in values.values_mut() {
        *value = value.map(|entry| f64::from(entry as f32));
    }
    run(&desk.path(&exported.target), &exported.file, &exported.target, model, &values);
    let folder = export(desk, &exported.target, &exported.family);
    (folder, values, random_tokens(model, 2, model.context.min(16), 3))
}

/// A run as `svc train` leaves it.
fn run(folder: &Path, spec: &Path, target: &str, model: &Model, values: &Values) {
    fs::create_dir_all(folder.join("checkpoint")).unwrap();
    let spec = spec.display().to_string();
    let record = format!(
        "{{\"format_version\": 2, \"spec\": {spec:?}, \"target\": {target:?}, \"without\": [], \"data\": []}}"
    );
    fs::write(folder.join("svc.json"), record).unwrap();
    fs::write(folder.join("checkpoint/state.json"), "{}").unwrap();
    let named: Vec<_> =
        values.iter().map(|(&id, value)| (model.instance_name(id), value.clone(), Kind::F32)).collect();
    tensors::write(&folder.join("checkpoint/model.safetensors"), &named).unwrap();
}

/// Exports the run called `name`; the folder.
fn export(desk: &Desk, name: &str, family: &str) -> PathBuf {
    desk.succeed(&format!("export {name} --to {name}_hf --family {family}")).unwrap();
    desk.path(&format!("{name}_hf"))
}

/// Lets transformers load each folder, and write what it computes.
fn load(sent: &[Sent]) {
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("exported.py");
    let mut command = Command::new(python);
    // torch has libraries of its own.
    command.arg(script).args(sent.iter().map(|sent| &sent.folder)).env_remove("LD_LIBRARY_PATH");
    let said = command.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}
