//! What `--data` names in, windows of tokens to train and to validate on out.

mod bin;
mod error;
pub mod held_out;
pub mod mixture;
pub mod order;
mod prepared;
mod shard;
mod stream;
mod text;
mod vocabulary;

pub use error::CorpusError;
pub use stream::Stream;
pub use vocabulary::Vocabulary;

use mixture::Mixture;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::path::{Path, PathBuf};
use stream::Splits;

/// Tokens of each split that frequencies are counted over, from its start.
const NUM_COUNTED: usize = 1 << 27;

/// What to train and to validate on: one source, or several in shares.
#[derive(Debug)]
pub struct Corpus {
    /// As the command line named it, in order.
    pub data: Vec<PathBuf>,
    /// What those hold.
    pub sources: Vec<Source>,
    mixture: Mixture,
}

/// One text or data set.
#[derive(Debug)]
pub struct Source {
    /// Where it was read from.
    pub path: PathBuf,
    /// Of all sequences, how many are of this source: more than 0, at most 1.
    pub share: f64,
    /// The training split.
    pub train: Stream,
    /// The validation split.
    pub val: Stream,
    /// What its tokens stand for.
    pub vocabulary: Vocabulary,
    /// The token that ends a document, where it says so itself.
    pub document_end: Option<u32>,
    /// Whether it does not say itself what is for validation: its last tenth then is.
    pub is_cut: bool,
    /// Bytes of text to a token of the validation split, where that is known.
    pub bytes_per_token: Option<f64>,
}

/// What tells one corpus from another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Of each source.
    pub sources: Vec<SourceFingerprint>,
}

/// What tells one source from another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceFingerprint {
    /// Tokens in the training split.
    pub train_tokens: u64,
    /// Tokens in the validation split.
    pub val_tokens: u64,
    /// CRC-32 of both splits, in hexadecimal; guards against mistakes, not against malice.
    pub hash: String,
    /// Its share of the sequences.
    pub share: f64,
}

/// Reads what `data` names, each `PATH` or `PATH@WEIGHT`. A path is a folder that `svc prepare` wrote; a `.bin` file of llm.c or nanoGPT,
/// or a folder of such; or a file or folder of text, whose tokens are its bytes. Without weights, a source has the share that it has of
/// the training tokens.
pub fn read(data: &[PathBuf]) -> Result<Corpus, CorpusError> {
    let named: Vec<(PathBuf, Option<f64>)> = data.iter().map(|path| weighted(path)).collect();
    let weighs = named.iter().any(|(_, weight)| weight.is_some());
    let mut sources = Vec::new();
    for (path, weight) in named {
        if weighs && weight.is_none() {
            return Err(CorpusError::NoWeight(path.display().to_string()));
        }
        if let Some(weight) = weight.filter(|weight| !weight.is_finite() || *weight <= 0.0) {
            return Err(CorpusError::Weight { path, weight });
        }
        let mut source = Source::read(&path)?;
        source.share = weight.unwrap_or(source.train.len().max(1) as f64);
        sources.push(source);
    }
    let total: f64 = sources.iter().map(|source| source.share).sum();
    for source in &mut sources {
        source.share /= total;
    }
    let shares: Vec<f64> = sources.iter().map(|source| source.share).collect();
    let mixture = Mixture::new(&shares).ok_or_else(|| {
        let least = sources.iter().min_by(|a, b| a.share.total_cmp(&b.share));
        let (path, share) = least.map(|source| (source.path.clone(), source.share)).unwrap_or_default();
        CorpusError::Share { path, share }
    })?;
    same_vocabulary(&sources)?;
    Ok(Corpus { data: data.to_vec(), sources, mixture })
}

/// `PATH@WEIGHT` taken apart; a path that is there is a path, whatever its name.
fn weighted(data: &Path) -> (PathBuf, Option<f64>) {
    let apart = || {
        let (path, weight) = data.to_str()?.rsplit_once('@')?;
        Some((PathBuf::from(path), weight.parse().ok()?))
    };
    match apart() {
        Some((path, weight)) if !data.exists() => (path, Some(weight)),
        Some(_) | None => (data.to_owned(), None),
    }
}

/// Whether a token stands for the same text in all sources that say what theirs stand for.
fn same_vocabulary<'a>(sources: impl IntoIterator<Item = &'a Source>) -> Result<(), CorpusError> {
    let mut known = sources.into_iter().filter(|source| source.vocabulary != Vocabulary::Unknown);
    let Some(first) = known.next() else { return Ok(()) };
    match known.find(|source| source.vocabulary != first.vocabulary) {
        Some(other) => {
            Err(CorpusError::OtherVocabulary { path: other.path.clone(), first: first.path.clone() })
        }
        None => Ok(()),
    }
}

impl Source {
    fn read(path: &Path) -> Result<Self, CorpusError> {
        let bins = bin::files(path)?;
        let (Splits { train, val, is_cut }, vocabulary, document_end, bytes_per_token) =
            if prepared::is_prepared(path) {
                let prepared::Prepared { train, val, vocabulary, document_end, bytes_per_token } =
                    prepared::read(path)?;
                let splits = Splits { train, val, is_cut: false };
                (splits, vocabulary, Some(document_end), Some(bytes_per_token))
            } else if bins.is_empty() {
                (text::read(path)?, Vocabulary::Bytes, None, Some(1.0))
            } else {
                (bin::read(&bins)?, Vocabulary::Unknown, None, None)
            };
        let path = path.to_owned();
        Ok(Self { path, share: 1.0, train, val, vocabulary, document_end, is_cut, bytes_per_token })
    }

    /// The same with all of it for validation that is not for training by its own account.
    fn for_validation(self) -> Self {
        if !self.is_cut {
            return self;
        }
        Self { train: Stream::default(), val: self.train.followed_by(self.val), is_cut: false, ..self }
    }

    fn check(&self, context: usize, vocab: i64) -> Result<(), CorpusError> {
        self.check_split("training", &self.train, context, vocab)?;
        self.check_split("validation", &self.val, context, vocab)
    }

    fn check_split(
        &self,
        split: &'static str,
        stream: &Stream,
        context: usize,
        vocab: i64,
    ) -> Result<(), CorpusError> {
        let tokens = stream.len();
        if tokens <= context {
            return Err(CorpusError::TooShort { path: self.path.clone(), split, tokens, context });
        }
        if let Some(shard) = stream.shards().find(|shard| i64::from(shard.largest) >= vocab) {
            return Err(CorpusError::OutsideVocab {
                path: shard.path.clone(),
                token: shard.largest,
                vocab,
                bytes: self.vocabulary == Vocabulary::Bytes,
            });
        }
        Ok(())
    }

    /// Whether `document_end` ends its documents.
    fn check_documents(&self, document_end: i64) -> Result<(), CorpusError> {
        let path = || self.path.clone();
        if let Some(ends) = self.document_end.filter(|&ends| i64::from(ends) != document_end) {
            return Err(CorpusError::OtherDocumentEnd { path: path(), ends, document_end });
        }
        if !self.train.holds(document_end) {
            return Err(CorpusError::NoDocumentEnds { path: path(), document_end });
        }
        Ok(())
    }

    /// What a checkpoint keeps of it.
    fn fingerprint(&self) -> SourceFingerprint {
        SourceFingerprint {
            train_tokens: self.train.len() as u64,
            val_tokens: self.val.len() as u64,
            hash: format!("{:08x}{:08x}", self.train.crc32(), self.val.crc32()),
            share: self.share,
        }
    }

    /// See [`Corpus::unigram_entropy`].
    fn unigram_entropy(&self, vocab: i64) -> f64 {
        let counts = count(&self.train, vocab);
        let total: u64 = counts.iter().map(|count| count + 1).sum();
        let seen = count(&self.val, vocab);
        let num_seen: u64 = seen.iter().sum();
        let surprise = seen.into_iter().zip(&counts).map(|(seen, &count)| {
            let probability = (count + 1) as f64 / total as f64;
            -(seen as f64) * probability.ln()
        });
        surprise.sum::<f64>() / num_seen.max(1) as f64
    }
}

impl Corpus {
    /// Whether windows of `context` tokens and their targets can be cut from every split, with tokens the model has.
    pub fn check(&self, context: i64, vocab: i64) -> Result<(), CorpusError> {
        let context = usize::try_from(context).unwrap_or(usize::MAX);
        self.sources.iter().try_for_each(|source| source.check(context, vocab))
    }

    /// Whether `document_end` ends the documents of every source.
    pub fn check_documents(&self, document_end: i64) -> Result<(), CorpusError> {
        self.sources.iter().try_for_each(|source| source.check_documents(document_end))
    }

    /// The windows that the training sequences `sequences` of a run read, each of `context` tokens and one more, one after another.
    /// Sequence `i` of step `s` is number `s · batch + i`.
    pub fn training_windows(&self, seed: u64, sequences: Range<u64>, context: usize) -> Vec<i64> {
        let mut tokens = Vec::with_capacity(sequences.clone().count() * (context + 1));
        for place in self.mixture.places(seed, sequences) {
            let Some(source) = self.sources.get(place.source) else { continue };
            let seed = crate::random::at(seed, place.source as u64);
            let start = order::start(seed, place.number, source.train.len(), context);
            source.train.extend(start, context + 1, &mut tokens);
        }
        tokens
    }

    /// What a checkpoint keeps of it.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint { sources: self.sources.iter().map(Source::fingerprint).collect() }
    }

    /// Tokens of all training splits.
    pub fn num_train_tokens(&self) -> usize {
        self.sources.iter().map(|source| source.train.len()).sum()
    }

    /// Whether every token is a byte of text.
    pub fn is_bytes(&self) -> bool {
        self.sources.iter().all(|source| source.vocabulary == Vocabulary::Bytes)
    }

    /// Bytes of text to a token of the validation splits, in the shares of training; none if one does not say.
    pub fn bytes_per_token(&self) -> Option<f64> {
        let of = |source: &Source| Some(source.share * source.bytes_per_token?);
        self.sources.iter().map(of).sum()
    }

    /// The loss in nats per token of predicting the validation split by the training split's token frequencies: what a model that
    /// learned nothing but the frequencies would reach; of several sources the mean, in their shares. One is added to each count, so
    /// that a token never seen has a finite loss. Of long splits the first 2^27 tokens are counted.
    pub fn unigram_entropy(&self, vocab: i64) -> f64 {
        self.sources.iter().map(|source| source.share * source.unigram_entropy(vocab)).sum()
    }
}

/// How often each of the model's tokens comes up.
fn count(stream: &Stream, vocab: i64) -> Vec<u64> {
    let mut counts = vec![0; usize::try_from(vocab).unwrap_or(0)];
    for start in (0..stream.len().min(NUM_COUNTED)).step_by(stream::CHUNK) {
        for token in stream.tokens(start, stream::CHUNK) {
            if let Some(count) = usize::try_from(token).ok().and_then(|token| counts.get_mut(token)) {
                *count += 1;
            }
        }
    }
    counts
}
