//! What the passes make of whole specs: roles and absorption, rules and groups, prints, diffs.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by a panic")]

mod diffs;
mod preserving;
mod prints;
mod roles;
mod rules;
mod spec;
