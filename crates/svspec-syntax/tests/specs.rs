//! Every committed spec parses without a fault and is laid out as the formatter would.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use svspec_diagnostics::SourceId;
use svspec_syntax::{format, parse};

fn specs() -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir("../../specs")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "svspec"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_spec_is_formatted() {
    let specs = specs();
    assert!(!specs.is_empty());
    for path in specs {
        let text = std::fs::read_to_string(&path).unwrap();
        let (file, faults) = parse(SourceId(0), &text);
        assert_eq!(faults, [], "{}", path.display());
        assert_eq!(format(&file), text, "{}", path.display());
    }
}
