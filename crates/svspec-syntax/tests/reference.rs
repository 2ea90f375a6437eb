//! Every spec in the language reference parses without a fault and is laid out as the formatter would.

use svspec_diagnostics::{Color, Sources, render_text};
use svspec_syntax::{format, parse};

/// The fenced specs of a Markdown text, each with the number of its first line.
fn fenced_specs(markdown: &str) -> Vec<(usize, String)> {
    let mut specs = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in markdown.lines().enumerate() {
        match (&mut open, line) {
            (None, "```svspec") => open = Some((index + 2, String::new())),
            (None, _) => {}
            (Some(_), "```") => specs.extend(open.take()),
            (Some((_, spec)), line) => {
                spec.push_str(line);
                spec.push('\n');
            }
        }
    }
    specs
}

#[test]
fn every_example_parses_and_is_formatted() {
    let specs = fenced_specs(include_str!("../../../grammar/README.md"));
    assert!(specs.len() > 10);
    for (line, spec) in specs {
        let mut sources = Sources::new();
        let (file, faults) = parse(sources.add(std::format!("README.md, line {line}"), spec.as_str()), &spec);
        assert_eq!(render_text(&faults, &sources, Color::Plain), "");
        assert_eq!(format(&file), spec, "the example at line {line}");
    }
}
