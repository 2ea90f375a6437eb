//! The subcommands of `svc`, one file each: its arguments, its help page, and what it does.

pub mod ablate;
pub mod build;
pub mod check;
pub mod completions;
pub mod corpus;
pub mod diff;
pub mod doctor;
pub mod explain;
pub mod export;
pub mod fmt;
pub mod fold;
pub mod import;
pub mod migrate;
pub mod new;
pub mod prepare;
pub mod report;
pub mod show;
pub mod snapshot;
pub mod train;
