//! The tests that every generated crate carries pass: its optimizer does what its tables say, on the compiler's schedules.

use super::setting::{NANO_TARGETS, WRITTEN};

#[test]
fn the_optimizers_of_generated_crates_do_what_their_tables_say() {
    let mut arguments =
        vec!["test", "--release", "--offline", "--quiet", "--test", "groups", "--test", "schedules"];
    let targets = ["tiny", "tiny_unified", "tiny_tied", "tiny_biases", "tiny_kinds", "tiny_muon"];
    for target in targets.iter().chain(&NANO_TARGETS) {
        arguments.extend(["--package", target]);
    }
    WRITTEN.cargo(&arguments).unwrap();
}
