//! The project's own specs: each checks without a word, and every target compiles.

use std::path::{Path, PathBuf};
use svspec_diagnostics::{Color, Diagnostic, Sources, render_text};
use svspec_ir::cost::cost;
use svspec_ir::{Loader, Program, check, compile, load, print};

/// Reads imported files next to the importing one.
struct Folder(PathBuf);

impl Loader for Folder {
    fn load(&mut self, _importer: &str, path: &str) -> Result<(String, String), String> {
        let text = std::fs::read_to_string(self.0.join(path)).map_err(|error| error.to_string())?;
        Ok((path.to_owned(), text))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs")
}

fn read(name: &str) -> (Sources, Program, Vec<Diagnostic>) {
    let mut sources = Sources::new();
    let text = std::fs::read_to_string(folder().join(name)).expect("the spec is there");
    let entry = sources.add(name, text);
    let (program, findings) = load(&mut sources, entry, &mut Folder(folder()));
    (sources, program, findings)
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("a plain name"))
        .filter(|name| name.ends_with(".svspec"))
        .collect();
    names.sort();
    names
}

#[test]
fn every_spec_checks_without_a_word() {
    for name in names() {
        let (sources, program, mut findings) = read(&name);
        findings.extend(check(&program, &sources));
        assert!(findings.is_empty(), "{name}:\n{}", render_text(&findings, &sources, Color::Plain));
    }
}

#[test]
fn every_target_compiles() {
    for name in names() {
        let (sources, program, _) = read(&name);
        assert!(!program.targets().is_empty(), "{name}");
        for target in program.targets() {
            if let Err(findings) = compile(&program, &sources, &target) {
                panic!("{name}: {target}:\n{}", render_text(&findings, &sources, Color::Plain));
            }
        }
    }
}

#[test]
fn ir_of_nano_and_unified() {
    let (sources, program, _) = read("nano.svspec");
    for target in ["nano", "unified"] {
        let compiled = compile(&program, &sources, target).expect("compiles");
        insta::assert_snapshot!(format!("ir_of_{target}"), print::ir(compiled.checked.model()));
    }
}

/// The counts that arXiv 2605.26895 gives for its Llama-1B.
#[test]
fn llama_1b_has_the_papers_counts() {
    let (sources, program, _) = read("llama.svspec");
    let compiled = compile(&program, &sources, "llama_1b").expect("compiles");
    let cost = cost(compiled.checked.model(), compiled.checked.assignments());
    assert_eq!(cost.num_params, 1_028_065_024);
    assert_eq!(cost.num_scale_params, 80_640);
}
