//! The files that a spec decides, as committed snapshots: read them as code.
#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::fmt::Write as _;
use svspec_codegen::{Files, Options, SpecSource, generate};
use svspec_diagnostics::Sources;
use svspec_ir::Loader;
use svspec_ir::rewrite::Rewrites;

/// Finds no import.
struct Alone;

impl Loader for Alone {
    fn load(&mut self, _: &str, path: &str) -> Result<(String, String), String> {
        Err(format!("`{path}` is not there"))
    }
}

fn files(file_name: &str, text: &str, target: &str, rewrites: Rewrites) -> Files {
    let mut sources = Sources::new();
    let entry = sources.add(file_name, text);
    let (program, faults) = svspec_ir::load(&mut sources, entry, &mut Alone);
    assert!(faults.is_empty(), "{faults:?}");
    let compiled = svspec_ir::compile(&program, &sources, target).unwrap();
    let spec = SpecSource { file_name: file_name.to_owned(), text: text.to_owned() };
    generate(&compiled.checked, &Options { rewrites, spec }).unwrap()
}

fn nano(target: &str) -> Files {
    files("nano.svspec", include_str!("../../../specs/nano.svspec"), target, Rewrites::default())
}

/// The files that depend on the model, one after another; the spec itself and the pinned dependencies say nothing new.
fn text(files: &Files) -> String {
    let mut text = String::new();
    for (path, content) in files.own().iter() {
        if path != "Cargo.lock" && !path.ends_with(".svspec") {
            writeln!(text, "==== {path}\n{content}").unwrap();
        }
    }
    text
}

#[test]
fn nano_baseline() {
    insta::assert_snapshot!(text(&nano("nano")));
}

#[test]
fn nano_unified() {
    insta::assert_snapshot!(text(&nano("unified")));
}

#[test]
fn nano_full_width_dual_normalised_placement() {
    insta::assert_snapshot!(nano("dnp_full").get("src/model.rs").unwrap());
}

#[test]
fn nano_exponential_magnitude_direction() {
    insta::assert_snapshot!(nano("er").get("src/model.rs").unwrap());
}

#[test]
fn nano_unified_without_rewrites() {
    let text = include_str!("../../../specs/nano.svspec");
    let files = files("nano.svspec", text, "unified", Rewrites::none());
    insta::assert_snapshot!(files.get("src/model.rs").unwrap());
}

#[test]
fn llama_1b() {
    let text = include_str!("../../../specs/llama.svspec");
    let files = files("llama.svspec", text, "llama_1b", Rewrites::default());
    insta::assert_snapshot!(files.get("src/model.rs").unwrap());
}

#[test]
fn two_kinds_of_layer_and_constants_by_layer() {
    let text = include_str!("specs/kinds.svspec");
    insta::assert_snapshot!(
        files("kinds.svspec", text, "kinds", Rewrites::default()).get("src/model.rs").unwrap()
    );
}

#[test]
fn a_gate_of_one_channel() {
    let text = include_str!("specs/gate.svspec");
    insta::assert_snapshot!(
        files("gate.svspec", text, "gate", Rewrites::default()).get("src/model.rs").unwrap()
    );
}

#[test]
fn experts() {
    let text = include_str!("specs/experts.svspec");
    insta::assert_snapshot!(
        files("experts.svspec", text, "experts", Rewrites::default()).get("src/model.rs").unwrap()
    );
}

#[test]
fn a_part_that_the_file_defines() {
    let text = include_str!("specs/defined.svspec");
    insta::assert_snapshot!(
        files("defined.svspec", text, "defined", Rewrites::default()).get("src/model.rs").unwrap()
    );
}

#[test]
fn the_same_spec_gives_the_same_bytes() {
    assert_eq!(nano("unified"), nano("unified"));
}

#[test]
fn the_crate_is_whole() {
    let files = nano("nano");
    for path in ["Cargo.toml", "Cargo.lock", "nano.svspec", "runtime/Cargo.toml", "runtime/src/lib.rs"] {
        assert!(files.get(path).is_some(), "{path} is missing");
    }
    assert!(files.own().iter().all(|(path, _)| !path.starts_with("runtime/")));
}
