//! The checkout to a Markdown table of measured figures, with the machine named.

mod compiler;
mod data;
mod experts;
mod machine;
mod memory;
mod optimizer;
mod processes;
mod trainer;
mod upkeep;

use crate::command;
use anyhow::Result;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// One line of the table.
struct Figure {
    what: &'static str,
    value: String,
}

/// Builds everything first, so that no figure holds a build; prints the table.
pub fn run() -> Result<ExitCode> {
    command::succeed(command::cargo(&["build", "--release", "--package", "svc"]))?;
    let scratch = tempfile::tempdir()?;
    let mut figures = compiler::figures(scratch.path())?;
    figures.extend(trainer::figures(scratch.path())?);
    figures.extend(memory::figures(scratch.path())?);
    figures.extend(optimizer::figures()?);
    figures.extend(experts::figures()?);
    println!("{}\n", machine::name());
    println!("| | |\n|---|---|");
    for Figure { what, value } in &figures {
        println!("| {what} | {value} |");
    }
    Ok(ExitCode::SUCCESS)
}

/// The median of `num_runs` runs, and the runs' range.
fn median_time(num_runs: usize, mut run: impl FnMut() -> Result<()>) -> Result<String> {
    let mut times = Vec::new();
    for _ in 0..num_runs {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed());
    }
    times.sort();
    let at = |index: usize| times.get(index).copied().unwrap_or_default();
    let (low, middle, high) = (at(0), at(times.len() / 2), at(times.len().saturating_sub(1)));
    Ok(format!("{} (median of {num_runs}; {} to {})", shown(middle), shown(low), shown(high)))
}

/// `12.3 ms`, `4.56 s`.
fn shown(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
}
