//! Why there is nothing to train on: each fault names the file.

use std::io;
use std::path::PathBuf;

/// A corpus that cannot be read, or that does not fit the model.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// The path cannot be read.
    #[error("cannot read the corpus `{path}`: {source}; name a file or a folder of text or tokens")]
    Read {
        /// The file or folder at fault.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file of tokens that is not whole, or not what it says it is.
    #[error("`{path}` is damaged: {reason}; prepare the data anew, or copy the file again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A split is too short to cut one window from.
    #[error(
        "the {split} split of `{path}` has {tokens} tokens, and a window of context = {context} needs {}: give more text, or set a smaller context",
        context + 1
    )]
    TooShort {
        /// The corpus.
        path: PathBuf,
        /// `training` or `validation`.
        split: &'static str,
        /// Its length.
        tokens: usize,
        /// The model's context.
        context: usize,
    },
    /// A token that the model does not have.
    #[error(
        "`{path}` holds the token {token}, and the model's tokens are 0 to {}: {}",
        vocab - 1,
        if *bytes { "set vocab = 256 to train on bytes".to_owned() } else { format!("set vocab = {} or more, or train on data of the model's tokenizer", u64::from(*token) + 1) }
    )]
    OutsideVocab {
        /// The file.
        path: PathBuf,
        /// The largest token found.
        token: u32,
        /// The model's vocabulary.
        vocab: i64,
        /// Whether its tokens are bytes of text.
        bytes: bool,
    },
    /// Weights for some sources and none for others.
    #[error(
        "`{0}` has no weight and another --data has one: give each of them a weight, as in --data PATH@0.5"
    )]
    NoWeight(String),
    /// A weight that is none.
    #[error("`{path}` has the weight {weight}: a weight is a number above 0, as in --data PATH@0.5")]
    Weight {
        /// The source.
        path: PathBuf,
        /// What it was given.
        weight: f64,
    },
    /// A source that would hardly ever be read.
    #[error(
        "of the sequences `{path}` has the share {share}, and the least is 1/4096: give it more weight, as in --data PATH@0.5, or leave it out"
    )]
    Share {
        /// The source.
        path: PathBuf,
        /// Its share.
        share: f64,
    },
    /// Two validation sets of one name.
    #[error(
        "two --val are called `{0}`: give each a name of its own, as in --val wiki=wiki.txt --val code=src/"
    )]
    Twice(String),
    /// A validation set that cannot be used.
    #[error("--val {name}: {source}")]
    HeldOut {
        /// What it is called.
        name: String,
        /// Why.
        source: Box<CorpusError>,
    },
    /// A validation set that is not the run's by that name.
    #[error(
        "--val {name}: `{path}` does not hold what the run has validated on so far, and its losses would not go on with those: put the old text back, or give this one another name"
    )]
    OtherSet {
        /// What it is called.
        name: String,
        /// What was read.
        path: PathBuf,
    },
    /// Sources whose tokens mean different things.
    #[error(
        "the tokens of `{path}` and of `{first}` do not stand for the same text: prepare them by one tokenizer"
    )]
    OtherVocabulary {
        /// The source.
        path: PathBuf,
        /// The one before it.
        first: PathBuf,
    },
    /// Data whose documents another token ends than the spec says.
    #[error(
        "the documents of `{path}` end with token {ends}, and the spec says `document_end = {document_end}`: write `document_end = {ends}`, or prepare the data with another --end-of-text"
    )]
    OtherDocumentEnd {
        /// The data.
        path: PathBuf,
        /// Its own.
        ends: u32,
        /// The spec's.
        document_end: i64,
    },
    /// Data in which no document ends.
    #[error(
        "the spec says `document_end = {document_end}`, and `{path}` holds no such token, so that all of it is one document: prepare it with `svc prepare`, which ends documents, or leave `document_end` out"
    )]
    NoDocumentEnds {
        /// The data.
        path: PathBuf,
        /// The spec's.
        document_end: i64,
    },
}
