//! Specs in, generated crates compiled by cargo and run, or all of it done by `svc`: what the suites here stand on.

pub mod compiled;
pub mod crates;
pub mod door;
pub mod run;
pub mod svc;
pub mod tensors;
