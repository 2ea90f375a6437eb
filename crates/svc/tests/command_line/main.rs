//! The `svc` command from outside: command lines in, standard output, standard error and exit codes as snapshots.

mod ablate;
mod bad_input;
mod build;
mod check;
mod diff;
mod explain;
mod export;
mod fmt;
mod fold;
mod help;
mod import;
mod migrate;
mod prepare;
mod readme;
mod report;
mod scene;
mod show;
mod snapshot;
mod start;
mod train;
mod trained;
