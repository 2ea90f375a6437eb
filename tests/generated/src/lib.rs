//! Specs in, generated crates compiled by cargo and run: what the suite of generated crates stands on.

pub mod compiled;
pub mod crates;
pub mod door;
pub mod tensors;
