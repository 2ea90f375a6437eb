//! Training with a hand-written model: learning, resumption, the optimizer, clipping, schedules, data, checkpoints, the program.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod balanced;
mod checkpoints;
mod chunks;
mod collectives;
mod data;
mod events;
mod experts;
mod foreign;
mod formula;
mod hand;
mod hosts;
mod kills;
mod launchers;
mod learning;
mod lr_scale;
mod newton_schulz;
mod normalize;
mod operations;
mod optimizer;
mod peers;
mod processes;
mod program;
mod pytorch;
mod recompute;
mod resume;
mod runs;
mod schedules;
mod settings;
mod sharded;
mod teams;
mod tiny;
mod tiny_bf16;
mod tiny_experts;
mod tiny_muon;
mod tokens;
