//! Real families at full size: the number of parameters of each is the one that transformers gives it.

use serde_json::{Map, Value};
use std::path::Path;
use svspec_diagnostics::{Color, Sources, render_text};
use svspec_ir::cost::cost;
use svspec_ir::{Loader, compile, load};

/// These specs import nothing.
struct Alone;

impl Loader for Alone {
    fn load(&mut self, _importer: &str, path: &str) -> Result<(String, String), String> {
        Err(format!("an import of `{path}`"))
    }
}

/// `tests/parity/counts.py` writes the table. Every target of a spec that it names is in it.
#[test]
fn parameters_are_as_many_as_transformers_counts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("tests/parity/counts.json")).unwrap();
    let table: Map<String, Value> = serde_json::from_str(&text).unwrap();
    assert!(!table.is_empty());
    for (family, counts) in &table {
        let mut sources = Sources::new();
        let text = std::fs::read_to_string(root.join(format!("specs/{family}.svspec"))).unwrap();
        let entry = sources.add(format!("{family}.svspec"), text);
        let (program, _) = load(&mut sources, entry, &mut Alone);
        let mut found = Map::new();
        for target in program.targets() {
            let compiled = compile(&program, &sources, &target).unwrap_or_else(|findings| {
                panic!("{family}: {target}:\n{}", render_text(&findings, &sources, Color::Plain))
            });
            let model = compiled.checked.model();
            assert!(model.without_foreign_name().is_empty(), "{target}: {:?}", model.without_foreign_name());
            found.insert(target, Value::from(cost(model, compiled.checked.assignments()).num_params));
        }
        let expected: Map<String, Value> = counts.as_object().unwrap().clone();
        for (target, count) in &found {
            assert_eq!(Some(count), expected.get(target), "{family}: {target}");
        }
        assert_eq!(found.len(), expected.len(), "{family}: a target of the table is not in the spec");
    }
}
