//! Texts at the limits of what is parsed, and texts made to take long.

use svspec_diagnostics::{Diagnostic, SourceId};
use svspec_syntax::{format, parse, print};

fn faults(text: &str) -> Vec<Diagnostic> {
    parse(SourceId(0), text).1
}

/// As in a file: `alpha = …` in a model.
fn model(value: &str) -> String {
    std::format!("svspec 1\n\nmodel m {{\n    alpha = {value}\n}}\n")
}

#[test]
fn the_deepest_brackets_are_read() {
    // The model's own brace is one of the 64.
    let text = model(&("(".repeat(63) + "1" + &")".repeat(63)));
    let (file, faults) = parse(SourceId(0), &text);
    assert_eq!(faults, []);
    let (again, _) = parse(SourceId(0), &format(&file));
    assert_eq!(print(&again), print(&file));
    assert_eq!(
        parse(SourceId(0), &model(&("(".repeat(64) + "1" + &")".repeat(64)))).1[0].name,
        "nested-too-deeply"
    );
}

#[test]
fn the_longest_expressions_are_read() {
    let chain = |operator: &str| "1".to_owned() + &std::format!("{operator}1").repeat(256);
    for value in [chain(" + "), chain(" * "), chain("^"), "-".repeat(256) + "1"] {
        let (file, faults) = parse(SourceId(0), &model(&value));
        assert_eq!(faults, []);
        let (again, _) = parse(SourceId(0), &format(&file));
        assert_eq!(print(&again), print(&file));
    }
    assert_eq!(faults(&model(&("1".to_owned() + &" + 1".repeat(257))))[0].name, "nested-too-deeply");
}

#[test]
fn many_operators_in_many_expressions_are_read() {
    let value = "1 + 2 * 3\n    beta = ".repeat(1000) + "4";
    assert_eq!(faults(&model(&value)), []);
}

#[test]
fn a_large_file_is_read_and_a_larger_one_is_not() {
    let text = model("1") + &"// a comment\n".repeat(80_000);
    assert_eq!(faults(&text), []);
    let faults = faults(&text.repeat(2));
    assert_eq!(faults.iter().map(|fault| fault.name).collect::<Vec<_>>(), ["too-large"]);
}

#[test]
fn a_fault_deep_inside_is_found_at_once() {
    for head in [
        "layer",
        "layer local",
        "optimizer",
        "optimizer adamw",
        "train",
        "part p",
        "block",
        "a = b",
        "a : scale",
    ] {
        let text =
            "svspec 1\nmodel m {\n".to_owned() + &std::format!("{head} {{\n").repeat(60) + "vocab = =\n";
        let faults = faults(&(text + &"}\n".repeat(61)));
        assert_eq!(faults.len(), 1, "{head}: {faults:?}");
        assert_eq!(faults[0].message, "expected a value, found `=`");
    }
}

#[test]
fn a_head_far_from_its_brace_is_found_at_once() {
    let text = "svspec 1\nmodel m".to_owned()
        + &"\n".repeat(500_000)
        + "{}\n"
        + "variant v of m with a,"
        + &"\n".repeat(500_000);
    let (file, faults) = parse(SourceId(0), &text);
    assert_eq!(file.items.len(), 1);
    assert_eq!(faults.len(), 1);
}

#[test]
fn faults_beyond_the_fiftieth_are_counted() {
    let faults = faults(&("svspec 1\n".to_owned() + &"oops {}\n".repeat(70)));
    assert_eq!(faults.len(), 50);
    assert_eq!(faults[49].help.last().unwrap(), "20 more faults are not shown");
}

#[test]
fn line_ends_tabs_and_a_byte_order_mark_are_read() {
    let text = "\u{feff}svspec 1\r\n\r\n// größer\r\nmodel m {\r\n\twidth\t=\t1\r\n}\r\n";
    let (file, faults) = parse(SourceId(0), text);
    assert_eq!(faults, []);
    assert_eq!(format(&file), "svspec 1\n\n// größer\nmodel m {\n    width = 1\n}\n");
}
