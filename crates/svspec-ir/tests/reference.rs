//! Every spec in the language reference passes every check, without a warning.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use svspec_diagnostics::{Color, Sources, render_text};
use svspec_ir::{Loader, check, load};

/// Reads imports from the disk, relative to their importer.
struct Disk;

impl Loader for Disk {
    fn load(&mut self, importer: &str, path: &str) -> Result<(String, String), String> {
        let path = Path::new(importer).parent().unwrap().join(path);
        let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
        Ok((path.display().to_string(), text))
    }
}

#[test]
fn every_example_passes() {
    let markdown = std::fs::read_to_string("../../grammar/README.md").unwrap();
    let mut specs =
        markdown.split("```svspec\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()).peekable();
    assert!(specs.peek().is_some());
    for spec in specs {
        let mut sources = Sources::new();
        let entry = sources.add("../../grammar/README.md", format!("{spec}\n"));
        let (program, mut findings) = load(&mut sources, entry, &mut Disk);
        findings.extend(check(&program, &sources));
        assert_eq!(render_text(&findings, &sources, Color::Plain), "");
    }
}
