//! The prints of nano's unified variant, which has a bit of everything, as people and tools read them.

use crate::spec;
use svspec_ir::print;

#[test]
fn graph() {
    insta::assert_snapshot!(print::ir(spec::compile(spec::NANO, "unified").model()));
}

#[test]
fn params() {
    insta::assert_snapshot!(print::params(&spec::compile(spec::NANO, "unified")));
}

#[test]
fn groups() {
    insta::assert_snapshot!(print::groups(&spec::compile(spec::NANO, "unified")));
}

#[test]
fn roles() {
    insta::assert_snapshot!(print::roles(&spec::compile(spec::NANO, "unified")));
}

#[test]
fn cost() {
    insta::assert_snapshot!(print::cost(&spec::compile(spec::NANO, "unified")));
}

#[test]
fn resolved() {
    insta::assert_snapshot!(print::resolved(&spec::compile(spec::NANO, "unified")));
}

#[test]
fn which_checkpoints_stay_is_printed_where_it_is_said() {
    let kept = |settings: &str| {
        let text = spec::NANO.replace("train {", &format!("train {{\n    {settings}"));
        let resolved = print::resolved(&spec::compile(&text, "nano"));
        let lines = resolved.lines().filter(|line| line.contains("keep_"));
        lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(kept("keep_last = 3\n keep_every = 10"), ["keep_last = 3", "keep_every = 10"]);
    assert!(kept("keep_last = 1\n keep_every = none").is_empty());
}

#[test]
fn params_as_data() {
    let mut view = print::params::view(&spec::compile(spec::NANO, "no_scales"));
    view.rows.truncate(3);
    insta::assert_snapshot!(serde_json::to_string_pretty(&view).unwrap());
}
