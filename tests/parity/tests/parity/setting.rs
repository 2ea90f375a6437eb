//! The cases, read once.

use std::sync::LazyLock;
use svspec_parity_tests::case::{self, Case};
#[cfg(feature = "transformers")]
use svspec_parity_tests::exported::{self, Exported};

/// Every family of transformers.
pub static FAMILIES: LazyLock<Vec<Case>> = LazyLock::new(|| case::families().unwrap());

/// Every technique.
pub static TECHNIQUES: LazyLock<Vec<Case>> = LazyLock::new(|| case::techniques().unwrap());

/// Every model with scale vectors that fold.
#[cfg(feature = "transformers")]
pub static EXPORTS: LazyLock<Vec<Exported>> = LazyLock::new(|| exported::folding().unwrap());
