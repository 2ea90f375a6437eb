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
fn params_as_data() {
    let mut view = print::params::view(&spec::compile(spec::NANO, "no_scales"));
    view.rows.truncate(3);
    insta::assert_snapshot!(serde_json::to_string_pretty(&view).unwrap());
}
