//! A run's news in, a progress bar on a terminal or plain lines elsewhere out.

use crate::health::Fault;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    /// Errors alone.
    Quiet,
    /// Progress and results.
    Normal,
}

/// About this many plain lines in a run that no one watches.
const NUM_PLAIN_LINES: u64 = 20;

/// Where a run speaks.
#[derive(Debug)]
pub struct Progress {
    verbosity: Verbosity,
    bar: Option<ProgressBar>,
    steps: u64,
    next_line: u64,
}

/// What is known of a run after a step.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Steps taken.
    pub step: u64,
    /// The mean loss of the steps since the last report.
    pub loss: f64,
    /// The learning rate.
    pub lr: f64,
    /// The speed since the last report.
    pub tokens_per_second: f64,
}

impl Progress {
    /// A run of `steps` steps that is at `step`.
    pub fn new(verbosity: Verbosity, step: u64, steps: u64) -> Self {
        let bar = match verbosity {
            Verbosity::Normal if io::stdout().is_terminal() => Some(bar(step, steps)),
            Verbosity::Normal | Verbosity::Quiet => None,
        };
        Self { verbosity, bar, steps, next_line: step }
    }

    /// Says `line`, above the bar if there is one.
    pub fn say(&self, line: impl Display) {
        match (&self.bar, self.verbosity) {
            (_, Verbosity::Quiet) => {}
            (Some(bar), Verbosity::Normal) => bar.suspend(|| print(&line)),
            (None, Verbosity::Normal) => print(&line),
        }
    }

    /// Says what is wrong.
    pub fn faults(&self, faults: &[Fault]) {
        for fault in faults {
            self.say(fault.news());
        }
    }

    /// One more step is done.
    pub fn advance(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// The run is at `step` again.
    pub fn rewind(&mut self, step: u64) {
        self.next_line = step;
        if let Some(bar) = &self.bar {
            bar.set_position(step);
        }
    }

    /// Shows the state of the run.
    pub fn report(&mut self, report: Report) {
        let Report { step, loss, lr, tokens_per_second } = report;
        let text = format!("loss {loss:.4}  lr {lr:.2e}  {tokens_per_second:.0} tokens/s");
        if let Some(bar) = &self.bar {
            bar.set_message(text);
        } else if step >= self.next_line || step == self.steps {
            self.say(format_args!("step {step:>6}/{}  {text}", self.steps));
            self.next_line = step + (self.steps / NUM_PLAIN_LINES).max(1);
        }
    }

    /// Takes the bar away.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn bar(step: u64, steps: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stdout()).with_position(step);
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {msg}  {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.reset_eta();
    bar
}

/// A closed pipe is no reason to stop training.
fn print(line: &impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}
