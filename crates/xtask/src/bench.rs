//! The checkout to a Markdown table of measured figures, with the machine named.

mod activation;
mod compiler;
mod data;
mod example;
mod experts;
mod gpt;
mod machine;
mod memory;
mod optimizer;
mod processes;
mod residual;
mod trainer;
mod upkeep;
mod weights;

use crate::command;
use anyhow::Result;
use clap::ValueEnum;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What `cargo xtask bench` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Only these rows
    parts: Vec<Part>,
}

/// Rows of the table that are measured together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Part {
    /// How fast specs are checked and generated
    Compiler,
    /// How fast nano trains, and how soon
    Trainer,
    /// How fast a small GPT trains, and in how much memory, against PyTorch
    Gpt,
    /// How fast data is read
    Data,
    /// How fast several processes train
    Processes,
    /// What checkpoints and statistics of scale vectors cost
    Upkeep,
    /// What saving memory costs
    Memory,
    /// The optimizer's step against PyTorch's
    Optimizer,
    /// The experts' product against a loop
    Experts,
    /// Weights on their way into a product against LibTorch's operations
    Weights,
    /// The residual stream's sums with the norms behind them
    Residual,
    /// Activations against LibTorch's
    Activation,
}

impl Part {
    /// Its rows; `scratch` is an empty folder.
    fn figures(self, scratch: &Path) -> Result<Vec<Figure>> {
        match self {
            Self::Compiler => compiler::figures(scratch),
            Self::Trainer => trainer::figures(scratch),
            Self::Gpt => gpt::figures(scratch),
            Self::Data => data::figures(scratch),
            Self::Processes => processes::figures(scratch),
            Self::Upkeep => upkeep::figures(scratch),
            Self::Memory => memory::figures(scratch),
            Self::Optimizer => optimizer::figures(),
            Self::Experts => experts::figures(),
            Self::Weights => weights::figures(),
            Self::Residual => residual::figures(),
            Self::Activation => activation::figures(),
        }
    }
}

/// One line of the table.
struct Figure {
    what: &'static str,
    value: String,
}

/// Builds everything first, so that no figure holds a build; prints the table, each part's rows once they are measured,
/// so that a run cut short keeps what it has.
pub fn run(args: &Args) -> Result<ExitCode> {
    command::succeed(command::cargo(&["build", "--release", "--package", "svc"]))?;
    let is_wanted = |part: &&Part| args.parts.is_empty() || args.parts.contains(part);
    println!("{}\n", machine::name());
    println!("| | |\n|---|---|");
    for part in Part::value_variants().iter().filter(is_wanted) {
        for Figure { what, value } in part.figures(tempfile::tempdir()?.path())? {
            println!("| {what} | {value} |");
        }
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
