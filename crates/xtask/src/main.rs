//! The chores of this repository: `cargo xtask test`, `tidy`, `generate`, `parity`, `bench`, `gpu-bundle`.

#![expect(clippy::print_stdout, reason = "its output is for a terminal or a log")]

mod bench;
mod command;
mod generate;
mod gpu_bundle;
mod parity;
mod repository;
mod tally;
mod test;
mod tidy;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Chores of this repository.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Runs every test there is and ends in a plain count
    Test(test::Args),
    /// Checks what the compiler cannot: crate edges, file names and lengths, purity, snapshots
    Tidy,
    /// Refreshes what is generated and committed: snapshots, the table of specs, pictures
    Generate,
    /// Makes fresh references with Hugging Face transformers and holds the specs of real families against them
    Parity(parity::Args),
    /// Measures the compiler and the trainer and prints a Markdown table
    Bench(bench::Args),
    /// Packs trainers and tests for a machine with a GPU, where one command tests and measures all of it
    GpuBundle(gpu_bundle::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().chore {
        Chore::Test(args) => test::run(&args),
        Chore::Tidy => tidy::run(),
        Chore::Generate => generate::run(),
        Chore::Parity(args) => parity::run(&args),
        Chore::Bench(args) => bench::run(&args),
        Chore::GpuBundle(args) => gpu_bundle::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(2)
    })
}
