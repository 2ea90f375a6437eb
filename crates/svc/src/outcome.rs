//! How a command ended, as an exit code that scripts can rely on: that of `diff`.

use std::process::ExitCode;

/// A command that ran to its end. One that could not run is an `Err`, exit code 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to report; both sides are the same. Exit code 0.
    Fine,
    /// Faults, or differences. Exit code 1.
    Findings,
    /// Stopped by a signal, in good order. Exit code 130.
    Interrupted,
}

impl Outcome {
    /// The worse of two, for commands that take several files.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Interrupted, _) | (_, Self::Interrupted) => Self::Interrupted,
            (Self::Findings, _) | (_, Self::Findings) => Self::Findings,
            (Self::Fine, Self::Fine) => Self::Fine,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Fine => Self::SUCCESS,
            Outcome::Findings => Self::from(1),
            Outcome::Interrupted => Self::from(130),
        }
    }
}

/// A signal came before there was anything to write; what it was in the middle of. Exit code 130.
#[derive(Debug)]
pub struct Stopped(pub &'static str);

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "stopped {}", self.0)
    }
}

impl std::error::Error for Stopped {}

/// A spec with errors in it: the findings, rendered. Exit code 1, not 2, because the command did its work.
#[derive(Debug)]
pub struct Faulty(pub String);

impl std::fmt::Display for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Faulty {}
