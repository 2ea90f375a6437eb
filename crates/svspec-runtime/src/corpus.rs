//! A path in, the training and validation bytes out; a token is a byte.

use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Of a single stream, this fraction in tenths is for training, the rest for validation.
const TRAIN_TENTHS: usize = 9;

/// Text to train on, in memory.
#[derive(Debug)]
pub struct Corpus {
    /// Where it was read from.
    pub path: PathBuf,
    /// The training split.
    pub train: Vec<u8>,
    /// The validation split.
    pub val: Vec<u8>,
}

/// What tells one corpus from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Bytes in the training split.
    pub train_bytes: u64,
    /// Bytes in the validation split.
    pub val_bytes: u64,
    /// FNV-1a over both, in eight-byte words; guards against mistakes, not against malice.
    pub hash: String,
}

/// Why there is nothing to train on.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// The path cannot be read.
    #[error("cannot read the corpus `{path}`: {source}; pass --data a file or a folder of text")]
    Read {
        /// The file or folder at fault.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A split is too short to cut one window from.
    #[error(
        "the {split} split of `{path}` has {bytes} bytes, and a window of context = {context} needs {}: give more text, or set a smaller context",
        context + 1
    )]
    TooShort {
        /// The corpus.
        path: PathBuf,
        /// `training` or `validation`.
        split: &'static str,
        /// Its length.
        bytes: usize,
        /// The model's context.
        context: usize,
    },
    /// A byte that the model has no token for.
    #[error("`{path}` holds the byte {byte}, and the model's tokens are 0 to {}: set vocab = 256 to train on bytes", vocab - 1)]
    OutsideVocab {
        /// The corpus.
        path: PathBuf,
        /// The largest byte found.
        byte: u8,
        /// The model's vocabulary.
        vocab: i64,
    },
}

/// Reads a file, or a folder. A folder with `train.bin` and `val.bin` is taken as those; else all its regular files, sorted by path,
/// follow one another, hidden ones left out. A single stream is split in order.
pub fn read(path: &Path) -> Result<Corpus, CorpusError> {
    let bytes_of =
        |file: &Path| fs::read(file).map_err(|source| CorpusError::Read { path: file.to_owned(), source });
    let (train_file, val_file) = (path.join("train.bin"), path.join("val.bin"));
    if train_file.is_file() && val_file.is_file() {
        return Ok(Corpus {
            path: path.to_owned(),
            train: bytes_of(&train_file)?,
            val: bytes_of(&val_file)?,
        });
    }
    let mut train = Vec::new();
    if path.is_dir() {
        for file in files_under(path)? {
            train.append(&mut bytes_of(&file)?);
        }
    } else {
        train = bytes_of(path)?;
    }
    let val = train.split_off(train.len() / 10 * TRAIN_TENTHS);
    Ok(Corpus { path: path.to_owned(), train, val })
}

/// The regular files in `folder` and below it, sorted by path. Links are not followed.
fn files_under(folder: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    let failed = |source| CorpusError::Read { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_dir() {
            files.append(&mut files_under(&entry.path())?);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

impl Corpus {
    /// Whether windows of `context` tokens and their targets can be cut from both splits, with tokens the model has.
    pub fn check(&self, context: i64, vocab: i64) -> Result<(), CorpusError> {
        let context = usize::try_from(context).unwrap_or(usize::MAX);
        for (split, bytes) in [("training", &self.train), ("validation", &self.val)] {
            if bytes.len() <= context {
                return Err(CorpusError::TooShort {
                    path: self.path.clone(),
                    split,
                    bytes: bytes.len(),
                    context,
                });
            }
        }
        let largest = self.train.iter().chain(&self.val).copied().max().unwrap_or(0);
        if i64::from(largest) >= vocab {
            return Err(CorpusError::OutsideVocab { path: self.path.clone(), byte: largest, vocab });
        }
        Ok(())
    }

    /// What a checkpoint keeps of it.
    pub fn fingerprint(&self) -> Fingerprint {
        let words = self.train.chunks(8).chain(self.val.chunks(8));
        let hash = words.fold(0xcbf2_9ce4_8422_2325_u64, |hash, word| {
            let mut bytes = [0; 8];
            bytes.iter_mut().zip(word).for_each(|(to, &from)| *to = from);
            (hash ^ u64::from_le_bytes(bytes)).wrapping_mul(0x0100_0000_01b3)
        });
        Fingerprint {
            train_bytes: self.train.len() as u64,
            val_bytes: self.val.len() as u64,
            hash: format!("{hash:016x}"),
        }
    }

    /// The loss in nats per byte of predicting the validation split by the training split's byte frequencies: what a model that
    /// learned nothing but the frequencies would reach. One is added to each count, so that a byte never seen has a finite loss.
    pub fn unigram_entropy(&self) -> f64 {
        let counts = count(&self.train);
        let total: u64 = counts.iter().map(|count| count + 1).sum();
        let surprise = count(&self.val).into_iter().zip(&counts).map(|(seen, &count)| {
            let probability = (count + 1) as f64 / total as f64;
            -(seen as f64) * probability.ln()
        });
        surprise.sum::<f64>() / self.val.len().max(1) as f64
    }
}

fn count(bytes: &[u8]) -> [u64; 256] {
    let mut counts = [0; 256];
    for &byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    counts
}
