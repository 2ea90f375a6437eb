//! Generated code is held to what hand-written code is: clippy and rustfmt have nothing to say.

use super::setting::WRITTEN;

#[test]
fn clippy_has_nothing_to_say() {
    let strict =
        ["clippy", "--release", "--offline", "--quiet", "--workspace", "--exclude", "svspec-runtime"];
    WRITTEN.cargo(&[&strict[..], &["--all-targets", "--", "-D", "warnings"]].concat()).unwrap();
}

#[test]
fn rustfmt_has_nothing_to_say() {
    WRITTEN.cargo(&["fmt", "--check"]).unwrap();
}
