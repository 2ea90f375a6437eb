//! `svc corpus`, for maintainers: a generated crate's folder in, the pinned list of the default corpus out.

use crate::outcome::Outcome;
use crate::{cargo, corpus, terminal};
use clap::Args;
use std::path::PathBuf;

/// Choose the default corpus anew from a generated crate's locked dependencies
///
/// For maintainers, after the locked versions have moved: the output is crates/svc/data/corpus.txt.
#[derive(Debug, Args)]
pub struct Corpus {
    /// A generated crate
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Prints the list.
pub fn run(args: &Corpus) -> anyhow::Result<Outcome> {
    let list = corpus::pin::pin(&cargo::packages(&args.folder)?)?;
    terminal::print(&list.to_string())?;
    Ok(Outcome::Fine)
}
