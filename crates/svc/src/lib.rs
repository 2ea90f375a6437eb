//! The `svc` command: svspec files in; findings, training crates, runs, pictures and diffs out. `main.rs` only calls it.

pub mod picture;

mod ablation;
mod cargo;
mod checkpoint;
mod cli;
mod command;
mod comparison;
mod corpus;
mod generate;
mod hash;
mod home;
mod huggingface;
mod interrupt;
mod libtorch;
mod manifest;
mod migration;
mod outcome;
mod prepare;
mod read;
mod report;
mod run_folder;
mod runtime;
mod spec;
mod terminal;
mod trainer;
mod training;
mod turn;

pub use cli::run;
