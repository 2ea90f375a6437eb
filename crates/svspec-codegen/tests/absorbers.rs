//! The table of scale vectors says of every spec what its proofs say: which of them fold into weights.
#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::collections::BTreeSet;
use std::path::Path;
use svspec_codegen::{Options, SpecSource, generate};
use svspec_diagnostics::Sources;
use svspec_ir::rewrite::Rewrites;
use svspec_ir::{Absorption, Loader};

const SPECS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../specs");

/// Reads what lies beside the importing file.
struct Beside;

impl Loader for Beside {
    fn load(&mut self, _: &str, path: &str) -> Result<(String, String), String> {
        let text = std::fs::read_to_string(Path::new(SPECS).join(path)).map_err(|error| error.to_string())?;
        Ok((path.to_owned(), text))
    }
}

/// The paths in a generated table, and whether each vector there has weights to fold into.
fn rows(params: &str) -> BTreeSet<(String, bool)> {
    let rows = params.split("ScaleRow {").skip(1);
    let row = |row: &str| {
        let path = row.split('"').nth(1).unwrap().to_owned();
        let absorbers = row.split("absorbers: ").nth(1).unwrap();
        (path, !absorbers.starts_with("&[]"))
    };
    rows.map(row).collect()
}

#[test]
fn every_vector_that_folds_has_its_weights_in_the_table() {
    let mut num_folding = 0;
    for entry in std::fs::read_dir(SPECS).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "svspec") {
            continue;
        }
        let (name, text) =
            (path.file_name().unwrap().to_str().unwrap(), std::fs::read_to_string(&path).unwrap());
        let mut sources = Sources::new();
        let source = sources.add(name, &text);
        let (program, faults) = svspec_ir::load(&mut sources, source, &mut Beside);
        assert!(faults.is_empty(), "{name}: {faults:?}");
        for target in program.targets() {
            let checked = svspec_ir::compile(&program, &sources, &target).unwrap().checked;
            let scales = checked.model().scales.iter().zip(checked.facts());
            let expected: BTreeSet<(String, bool)> = scales
                .map(|(scale, facts)| (scale.path.clone(), !matches!(facts.absorption, Absorption::None(_))))
                .collect();
            num_folding += expected.iter().filter(|(_, folds)| *folds).count();
            let spec = SpecSource { file_name: name.to_owned(), text: text.clone() };
            let files = generate(&checked, &Options { rewrites: Rewrites::default(), spec }).unwrap();
            assert_eq!(rows(files.get("src/params.rs").unwrap()), expected, "{name}: {target}");
        }
    }
    assert!(num_folding > 100, "{num_folding}");
}

#[test]
fn a_kind_of_layer_that_the_stack_has_not_has_no_vectors_in_the_table() {
    let text = "svspec 1\n\nimport \"nano.svspec\"\n\nvariant replaced of nano {\n    layer near {\n        \
                x = x + attn(attn_norm(x))\n    }\n    stack = 4 * near\n}\n";
    let mut sources = Sources::new();
    let source = sources.add("replaced.svspec", text);
    let (program, faults) = svspec_ir::load(&mut sources, source, &mut Beside);
    assert!(faults.is_empty(), "{faults:?}");
    let checked = svspec_ir::compile(&program, &sources, "replaced").unwrap().checked;
    let spec = SpecSource { file_name: "replaced.svspec".to_owned(), text: text.to_owned() };
    let files = generate(&checked, &Options { rewrites: Rewrites::default(), spec }).unwrap();
    let table = files.get("src/params.rs").unwrap().split("ScaleRow {").skip(1);
    let rows: Vec<(&str, bool)> =
        table.map(|row| (row.split('"').nth(1).unwrap(), row.contains("Layers::Outside"))).collect();
    assert_eq!(rows, [("attn_norm.scale", false), ("final_norm.scale", true)]);
}
