//! Every test there is, tier by tier, to one count.

use crate::tally::Tally;
use crate::{command, repository};
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::process::{Command, ExitCode};

/// What `cargo xtask test` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Only what needs no LibTorch
    #[arg(long)]
    fast: bool,
}

/// A part of the suite: one call of `cargo test`.
struct Tier {
    name: &'static str,
    cargo: &'static [&'static str],
}

/// One profile for all of it: LibTorch's bindings are compiled once per profile.
const COMPILER: Tier =
    Tier { name: "the compiler and the command", cargo: &["test", "--release", "--no-fail-fast"] };

/// The packages that plain `cargo test` leaves out: they link LibTorch, or compile and run generated crates.
const LIBTORCH: [Tier; 3] = [
    Tier {
        name: "the runtime",
        cargo: &["test", "--release", "--no-fail-fast", "--package", "svspec-runtime"],
    },
    Tier {
        name: "generated crates",
        cargo: &["test", "--release", "--no-fail-fast", "--package", "svspec-generated-tests"],
    },
    Tier {
        name: "families, against committed references",
        cargo: &["test", "--release", "--no-fail-fast", "--package", "svspec-parity-tests"],
    },
];

/// Runs the tiers; the last line is the count, the exit code 1 if anything failed.
pub fn run(args: &Args) -> Result<ExitCode> {
    let mut tally = run_tier(&COMPILER)?.plus(specs()?);
    if !args.fast {
        eprintln!("\n== LibTorch");
        command::succeed(command::svc(&["doctor", "--fetch"]))
            .context("LibTorch is needed; `--fast` does without")?;
        for tier in &LIBTORCH {
            tally = tally.plus(run_tier(tier)?);
        }
    }
    if tally.ignored > 0 {
        println!("{} ignored", tally.ignored);
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Holds each of the project's specs against its committed snapshot.
fn specs() -> Result<Tally> {
    eprintln!("\n== specs and their snapshots");
    let mut tally = Tally::default();
    for spec in repository::specs()? {
        let name = repository::shown(&spec);
        let is_same = command::svc(&["snapshot", "--check", &name]).status()?.success();
        println!("test {name} ... {}", if is_same { "ok" } else { "FAILED" });
        if is_same {
            tally.passed += 1;
        } else {
            tally.failed += 1;
        }
    }
    Ok(tally)
}

fn run_tier(tier: &Tier) -> Result<Tally> {
    eprintln!("\n== {}", tier.name);
    let mut tally = Tally::default();
    let status = command::follow(with_libtorch(command::cargo(tier.cargo))?, |line| {
        tally.read(line);
        println!("{line}");
    })?;
    if !status.success() && tally.failed == 0 {
        // A binary that did not compile, or died without a count.
        eprintln!("error: {}: cargo ended with {status}", tier.name);
        tally.failed = 1;
    }
    Ok(tally)
}

/// Test binaries find LibTorch wherever it and the target folder are.
pub fn with_libtorch(mut command: Command) -> Result<Command> {
    let libtorch = repository::libtorch();
    let mut folders = vec![libtorch.join("lib")];
    folders.extend(std::env::var_os("LD_LIBRARY_PATH").iter().flat_map(std::env::split_paths));
    let path: OsString =
        std::env::join_paths(folders).context("a folder of LD_LIBRARY_PATH has a colon in it")?;
    command.env("LIBTORCH", libtorch).env("LD_LIBRARY_PATH", path);
    Ok(command)
}
