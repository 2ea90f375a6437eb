//! The cases, read once.

use std::sync::LazyLock;
use svspec_parity_tests::case::{self, Case};

/// Every family of transformers.
pub static FAMILIES: LazyLock<Vec<Case>> = LazyLock::new(|| case::families().unwrap());

/// Every technique.
pub static TECHNIQUES: LazyLock<Vec<Case>> = LazyLock::new(|| case::techniques().unwrap());
