//! Generated crates, compiled and run. One program, so that the crates are compiled once for all of it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what fails here is a failed test")]

mod suite {
    mod foreign;
    mod groups;
    mod lock;
    mod memory;
    mod parity;
    mod quality;
    mod setting;
    mod step_zero;
}
