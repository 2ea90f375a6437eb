//! The families, read once.

use std::sync::LazyLock;
use svspec_parity_tests::case::{self, Case};

/// All of them; at least one.
pub static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let cases = case::all().unwrap();
    assert!(!cases.is_empty(), "no family in {}", case::references().display());
    cases
});
