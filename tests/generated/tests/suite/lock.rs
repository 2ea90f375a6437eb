//! A generated crate's lock file is one that cargo takes as it is.

use super::setting::{NANO, scratch, target};
use std::fs;
use std::path::Path;
use svspec_generated_tests::crates::Crates;
use svspec_ir::rewrite::Rewrites;

fn alone(name: &str) -> Crates {
    let files = NANO.files("nano", Rewrites::default()).unwrap();
    Crates::write_alone(&scratch(name), &target(), &files).unwrap()
}

#[test]
fn cargo_takes_the_lock_file() {
    let taken = alone("locked").cargo(&["metadata", "--locked", "--offline", "--format-version", "1"]);
    taken.expect("refresh it: `cargo test -p svspec-generated-tests -- --ignored refresh_the_lock_file`");
}

#[test]
#[ignore = "rewrites templates/Cargo.lock from the workspace's lock file; run it when the runtime's dependencies change"]
fn refresh_the_lock_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let crates = alone("refreshed");
    let lock = crates.folder().join("Cargo.lock");
    fs::copy(root.join("Cargo.lock"), &lock).unwrap();
    crates.cargo(&["metadata", "--format-version", "1"]).unwrap();
    let text = fs::read_to_string(&lock).unwrap();
    let others = text.split("[[package]]\n").filter(|package| !package.starts_with("name = \"nano\""));
    fs::write(root.join("templates/Cargo.lock"), others.collect::<Vec<_>>().join("[[package]]\n")).unwrap();
}
