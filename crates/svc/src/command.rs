//! The subcommands of `svc`, one file each: its arguments, its help page, and what it does.

pub mod completions;
pub mod corpus;
pub mod doctor;
pub mod fmt;
