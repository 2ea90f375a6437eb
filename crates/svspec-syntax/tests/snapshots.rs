//! What the parser makes of texts: the tree and the canonical layout of those in `trees/`, the faults of those in
//! `faults/` and the tree that is left.

use svspec_diagnostics::{Color, Sources, render_text};
use svspec_syntax::{format, parse, print};

#[test]
fn trees() {
    insta::glob!("trees/*.svspec", |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let mut sources = Sources::new();
        let (file, faults) = parse(sources.add("spec.svspec", text.as_str()), &text);
        assert_eq!(render_text(&faults, &sources, Color::Plain), "");
        insta::assert_snapshot!(format!("{}\n{}", format(&file), print(&file)));
    });
}

#[test]
fn faults() {
    insta::glob!("faults/*.svspec", |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let mut sources = Sources::new();
        let (file, faults) = parse(sources.add("spec.svspec", text.as_str()), &text);
        assert_ne!(faults, []);
        insta::assert_snapshot!(format!("{}{}", render_text(&faults, &sources, Color::Plain), print(&file)));
    });
}
