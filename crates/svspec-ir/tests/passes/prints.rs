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
fn what_is_done_about_faults_is_printed_where_it_is_said() {
    let said = |settings: &str| {
        let text = spec::NANO.replace("train {", &format!("train {{\n    {settings}"));
        let resolved = print::resolved(&spec::compile(&text, "nano"));
        let lines = resolved.lines().filter(|line| line.contains("on_"));
        lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(
        said("on_non_finite = skip, on_spike = roll_back { deviations = 8 }, on_dead_scale = stop"),
        ["on_non_finite = skip", "on_spike = roll_back { deviations = 8 }", "on_dead_scale = stop"]
    );
    assert_eq!(said("on_spike = skip"), ["on_spike = skip { deviations = 6 }"]);
    assert!(said("on_non_finite = stop, on_spike = log, on_dead_scale = log").is_empty());
}

#[test]
fn params_as_data() {
    let mut view = print::params::view(&spec::compile(spec::NANO, "no_scales"));
    view.rows.truncate(3);
    insta::assert_snapshot!(serde_json::to_string_pretty(&view).unwrap());
}
