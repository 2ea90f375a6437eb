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

/// A validation set as a run's record names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Where it is found wherever the run is taken up.
    #[serde(flatten)]
    pub named: Named,
    /// The checksum of its tokens.
    pub crc32: String,
}

/// A validation set.
#[derive(Debug)]
pub struct HeldOut {
    named: Named,
    source: Source,
}

impl Named {
    /// `NAME=PATH` taken apart; none if it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, path) = text.split_once('=')?;
        let is_name = !name.is_empty() && !path.is_empty();
        is_name.then(|| Self { name: name.to_owned(), path: PathBuf::from(path) })
    }
}

impl HeldOut {
    /// What its losses go by.
    pub fn name(&self) -> &str {
        &self.named.name
    }

    /// As the record names it.
    pub fn recorded(&self) -> Recorded {
        let path = &self.named.path;
        // Only an empty path has no absolute one, and that holds no tokens.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        Recorded {
            named: Named { path, ..self.named.clone() },
            crc32: format!("{:08x}", self.tokens().crc32()),
        }
    }

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
    for named in named {
        if sets.iter().any(|set| set.name() == named.name) {
            return Err(CorpusError::Twice(named.name.clone()));
        }
        let read = || -> Result<Source, CorpusError> {
            let source = Source::read(&named.path)?.for_validation();
            source.check_split("validation", &source.val, context, vocab)?;
            same_vocabulary(sources.iter().chain([&source]))?;
            Ok(source)
        };
        let of_set = |source| CorpusError::HeldOut { name: named.name.clone(), source: Box::new(source) };
        sets.push(HeldOut { source: read().map_err(of_set)?, named: named.clone() });
    }
    Ok(sets)
}

/// Refuses a set that holds something else than the run has validated on by that name.
pub fn as_recorded(sets: &[HeldOut], recorded: &[Recorded]) -> Result<(), CorpusError> {
    for set in sets {
        let now = set.recorded();
        let is_other = |known: &&Recorded| known.named.name == now.named.name && known.crc32 != now.crc32;
        if recorded.iter().any(|known| is_other(&known)) {
            let Named { name, path } = now.named;
            return Err(CorpusError::OtherSet { name, path });
        }
    }
    Ok(())
}
