//! A folder that `svc prepare` wrote in, checked streams of tokens and the vocabulary out.
//!
//! `dataset.json` lists the shards. A shard is a safetensors file of `tokens` (U8, U16 or U32, `[num_tokens]`) and `documents` (U64,
//! where each document begins), whose one note, `svspec`, holds the CRC-32 of both tensors' bytes.

use crate::corpus::error::CorpusError;
use crate::corpus::shard::{Bytes, Shard, Width};
use crate::corpus::stream::Stream;
use crate::corpus::vocabulary::Vocabulary;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use std::fs;
use std::path::Path;

/// The list of a prepared folder.
pub const FILE: &str = "dataset.json";
/// What it has to say of itself.
const FORMAT: (&str, u32) = ("svspec.dataset", 1);

/// `dataset.json`, as far as a trainer needs it.
#[derive(Debug, Deserialize)]
struct Dataset {
    format: String,
    format_version: u32,
    vocab: u32,
    end_of_text: u32,
    train: Split,
    val: Split,
}

#[derive(Debug, Deserialize)]
struct Split {
    /// Bytes of text that the tokens stand for.
    bytes: u64,
    shards: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    file: String,
    tokens: usize,
    crc32: String,
}

/// A shard's note.
#[derive(Debug, Deserialize)]
struct Note {
    crc32: String,
}

/// What a prepared folder holds.
#[derive(Debug)]
pub struct Prepared {
    /// The training split.
    pub train: Stream,
    /// The validation split.
    pub val: Stream,
    /// What the tokens stand for.
    pub vocabulary: Vocabulary,
    /// The token that ends a document.
    pub document_end: u32,
    /// Bytes of text to a token, over the validation split.
    pub bytes_per_token: f64,
}

/// Whether `svc prepare` wrote the folder.
pub fn is_prepared(path: &Path) -> bool {
    path.join(FILE).is_file()
}

/// Reads the folder; every shard is read once from end to end and compared with its checksum.
pub fn read(path: &Path) -> Result<Prepared, CorpusError> {
    let list = path.join(FILE);
    let failed = |source| CorpusError::Read { path: list.clone(), source };
    let damaged = |reason: String| CorpusError::Damaged { path: list.clone(), reason };
    let text = fs::read_to_string(&list).map_err(failed)?;
    let dataset: Dataset = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    if (dataset.format.as_str(), dataset.format_version) != FORMAT {
        let (format, version) = FORMAT;
        return Err(damaged(format!(
            "it is {} {}, and this trainer reads {format} {version}",
            dataset.format, dataset.format_version
        )));
    }
    let stream = |split: &Split| {
        let shards: Result<Vec<Shard>, CorpusError> =
            split.shards.iter().map(|listed| shard(path, listed, dataset.vocab)).collect();
        shards.map(Stream::new)
    };
    let (train, val) = (stream(&dataset.train)?, stream(&dataset.val)?);
    let bytes_per_token = dataset.val.bytes as f64 / val.len().max(1) as f64;
    let vocabulary = Vocabulary::read(path, dataset.vocab)?;
    Ok(Prepared { train, val, vocabulary, document_end: dataset.end_of_text, bytes_per_token })
}

fn shard(folder: &Path, listed: &Listed, vocab: u32) -> Result<Shard, CorpusError> {
    let path = folder.join(&listed.file);
    let damaged = |reason: String| CorpusError::Damaged { path: path.clone(), reason };
    let bytes = Bytes::map(&path)?;
    let whole = bytes.as_ref();
    SafeTensors::deserialize(whole).map_err(|error| damaged(error.to_string()))?;
    let (header, metadata) = SafeTensors::read_metadata(whole).map_err(|error| damaged(error.to_string()))?;
    let note = metadata.metadata().as_ref().and_then(|notes| notes.get("svspec"));
    let note: Note = note
        .and_then(|note| serde_json::from_str(note).ok())
        .ok_or_else(|| damaged("it is no shard of `svc prepare`".to_owned()))?;
    // Before the tensors lie the header and its length, which takes eight bytes.
    let data = header + 8;
    let found = format!("{:08x}", crc32fast::hash(whole.get(data..).unwrap_or_default()));
    if found != note.crc32 {
        return Err(damaged(format!("its checksum is {found}, and its header says {}", note.crc32)));
    }
    if found != listed.crc32 {
        return Err(damaged(format!("its checksum is {found}, and {FILE} says {}", listed.crc32)));
    }
    let tokens = metadata.info("tokens").ok_or_else(|| damaged("it holds no tokens".to_owned()))?;
    let widths = [(Dtype::U8, Width::One), (Dtype::U16, Width::Two), (Dtype::U32, Width::Four)];
    let width = widths.into_iter().find(|(dtype, _)| *dtype == tokens.dtype).map(|(_, width)| width);
    let width = width.ok_or_else(|| damaged(format!("its tokens are of type {:?}", tokens.dtype)))?;
    let (start, end) = tokens.data_offsets;
    let shard = Shard::new(&path, bytes, data + start..data + end, width);
    if shard.len() != listed.tokens {
        return Err(damaged(format!("it holds {} tokens, and {FILE} says {}", shard.len(), listed.tokens)));
    }
    if shard.largest >= vocab {
        return Err(damaged(format!(
            "it holds the token {}, and the tokens of {FILE}'s vocabulary are 0 to {}",
            shard.largest,
            vocab.saturating_sub(1)
        )));
    }
    Ok(shard)
}
