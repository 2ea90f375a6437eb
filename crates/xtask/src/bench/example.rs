//! An example program of the runtime's: the figures that no trainer tells.

use crate::command::{self, output};
use crate::test::with_libtorch;
use anyhow::{Context, Result};
use std::process::Command;

/// One, compiled.
pub struct Example([&'static str; 5]);

impl Example {
    /// Compiles it.
    pub fn build(name: &'static str) -> Result<Self> {
        let example = ["--release", "--package", "svspec-runtime", "--example", name];
        command::succeed(with_libtorch(command::cargo(&[&["build"][..], &example].concat()))?)?;
        Ok(Self(example))
    }

    /// A run of it.
    pub fn command(&self, arguments: &[&str]) -> Result<Command> {
        with_libtorch(command::cargo(&[&["run", "--quiet"][..], &self.0, &["--"], arguments].concat()))
    }

    /// What a run of it prints.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        output(self.command(arguments)?, &[0])
    }

    /// The median ratio of so many pairs, which it prints.
    pub fn ratio(&self, arguments: &[&str], num_pairs: &str) -> Result<String> {
        let text = self.run(&[arguments, &[num_pairs]].concat())?;
        let ratio: f64 = text.trim().parse().with_context(|| format!("`{}` is no number", text.trim()))?;
        Ok(format!("{ratio:.2}× (median of {num_pairs} pairs)"))
    }
}
