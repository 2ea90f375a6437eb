//! What `--val NAME=PATH` names in, rows of tokens to validate on besides out.

use crate::corpus::{CorpusError, Source, Stream, same_vocabulary};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A validation set as the command line names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// What its losses go by.
    pub name: String,
    /// Where it lies, as [`super::read`] takes it, without a weight.
    pub path: PathBuf,
}

/// A validation set.
#[derive(Debug)]
pub struct HeldOut {
    /// What its losses go by.
    pub name: String,
    source: Source,
}

impl Named {
    /// `NAME=PATH` taken apart; none if it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, path) = text.split_once('=')?;
        let is_name = !name.is_empty() && !path.is_empty();
        is_name.then(|| Self { name: name.to_owned(), path: PathBuf::from(path) })
    }

    /// The same wherever the run is taken up.
    #[must_use]
    pub fn absolute(&self) -> Self {
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        Self { path, ..self.clone() }
    }
}

impl HeldOut {
    /// Its tokens: the validation split where it has one, and all of it where it has none.
    pub fn tokens(&self) -> &Stream {
        &self.source.val
    }
}

/// Reads what is named, of which each must have tokens of the model's, with the meaning they have in `sources`.
pub fn read(
    named: &[Named],
    sources: &[Source],
    context: i64,
    vocab: i64,
) -> Result<Vec<HeldOut>, CorpusError> {
    let context = usize::try_from(context).unwrap_or(usize::MAX);
    let mut sets: Vec<HeldOut> = Vec::new();
    for Named { name, path } in named {
        if sets.iter().any(|set| set.name == *name) {
            return Err(CorpusError::Twice(name.clone()));
        }
        let source = Source::read(path)?.for_validation();
        source.check_split("validation", &source.val, context, vocab)?;
        same_vocabulary(sources.iter().chain([&source]))?;
        sets.push(HeldOut { name: name.clone(), source });
    }
    Ok(sets)
}
