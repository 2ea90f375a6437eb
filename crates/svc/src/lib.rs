//! The `svc` command: svspec files in; findings, training crates, runs, pictures and diffs out. `main.rs` only calls it.

pub mod picture;

mod cargo;
mod cli;
mod command;
mod corpus;
mod hash;
mod home;
mod libtorch;
mod outcome;
mod read;
mod terminal;

pub use cli::run;
