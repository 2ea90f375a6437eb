//! The test that every generated crate carries passes: its optimizer does what its table says.

use super::setting::{NANO_TARGETS, WRITTEN};

#[test]
fn the_optimizers_of_generated_crates_do_what_their_tables_say() {
    let mut arguments = vec!["test", "--release", "--offline", "--quiet", "--test", "groups"];
    let targets = ["tiny", "tiny_unified", "tiny_tied", "tiny_biases", "tiny_kinds"];
    for target in targets.iter().chain(&NANO_TARGETS) {
        arguments.extend(["--package", target]);
    }
    WRITTEN.cargo(&arguments).unwrap();
}
