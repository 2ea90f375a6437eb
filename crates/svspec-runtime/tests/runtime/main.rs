//! Training with a hand-written model: learning, resumption, the optimizer, clipping, schedules, data, checkpoints, the program.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod checkpoints;
mod data;
mod experts;
mod foreign;
mod hand;
mod learning;
mod normalize;
mod operations;
mod optimizer;
mod program;
mod resume;
mod runs;
mod schedules;
mod tiny_bf16;
