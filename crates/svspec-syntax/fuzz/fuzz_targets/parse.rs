//! Any text to a tree and its faults without a panic; a text without faults to a layout that keeps its meaning.
//!
//! From `crates/svspec-syntax`, seeded with the committed specs: `mkdir -p fuzz/corpus/parse && cargo +nightly fuzz run
//! parse fuzz/corpus/parse ../../specs tests/trees tests/faults`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use svspec_diagnostics::{Color, Sources, render_text};
use svspec_syntax::{format, parse, print};

fuzz_target!(|text: &str| {
    let mut sources = Sources::new();
    let source = sources.add("fuzzed.svspec", text);
    let (file, faults) = parse(source, text);
    render_text(&faults, &sources, Color::Plain);
    let formatted = format(&file);
    if faults.is_empty() {
        let (again, faults) = parse(source, &formatted);
        assert_eq!(faults, [], "{formatted}");
        assert_eq!(print(&again), print(&file));
        assert_eq!(format(&again), formatted);
    }
});
