//! A generated crate's lock file is one that cargo takes as it is.

use super::setting::{NANO, scratch, target};
use svspec_generated_tests::crates::Crates;
use svspec_ir::rewrite::Rewrites;

#[test]
fn cargo_takes_the_lock_file() {
    let files = NANO.files("nano", Rewrites::default()).unwrap();
    let alone = Crates::write_alone(&scratch("locked"), &target(), &files).unwrap();
    // What only other platforms need may never have been downloaded.
    let taken = alone.cargo(&["tree", "--locked", "--offline"]);
    taken.expect("`cargo xtask generate` refreshes templates/Cargo.lock");
}
