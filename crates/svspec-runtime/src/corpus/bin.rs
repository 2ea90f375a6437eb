//! Token files of other trainers in, streams out: llm.c's, with a header of 1024 bytes, and nanoGPT's, with none.

use crate::corpus::error::CorpusError;
use crate::corpus::shard::{Bytes, Shard, Width};
use crate::corpus::stream::{Splits, Stream};
use crate::corpus::text;
use std::fs;
use std::path::{Path, PathBuf};

/// Bytes of llm.c's header: 256 words, of which three are used.
const HEADER: usize = 1024;
/// Its first two words for tokens of two bytes (GPT-2's), and of four (Llama 3's).
const GPT2: (u32, u32) = (20_240_520, 1);
const LLAMA3: (u32, u32) = (20_240_801, 7);

/// The `.bin` files that `path` is or holds, sorted by name.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    let is_bin = |file: &Path| file.extension().is_some_and(|end| end == "bin");
    if !path.is_dir() {
        return Ok(if is_bin(path) { vec![path.to_owned()] } else { Vec::new() });
    }
    let failed = |source| CorpusError::Read { path: path.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if is_bin(&file) && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// The training and the validation split: files with `val` in their names are for validation; without any, the last tenth is.
pub fn read(files: &[PathBuf]) -> Result<Splits, CorpusError> {
    let is_val = |file: &&PathBuf| {
        file.file_name().is_some_and(|name| name.to_string_lossy().to_lowercase().contains("val"))
    };
    let (val, train): (Vec<&PathBuf>, Vec<&PathBuf>) = files.iter().partition(is_val);
    let stream = |files: Vec<&PathBuf>| {
        let shards: Result<Vec<Shard>, CorpusError> = files.into_iter().map(|file| shard(file)).collect();
        shards.map(Stream::new)
    };
    if val.is_empty() {
        return stream(train).map(text::in_tenths);
    }
    Ok(Splits { train: stream(train)?, val: stream(val)?, is_cut: false })
}

fn shard(path: &Path) -> Result<Shard, CorpusError> {
    let damaged = |reason: String| CorpusError::Damaged { path: path.to_owned(), reason };
    let bytes = Bytes::map(path)?;
    let len = bytes.as_ref().len();
    let word = |index: usize| {
        let word = bytes.as_ref().get(4 * index..4 * index + 4)?;
        Some(u32::from_le_bytes(word.try_into().ok()?))
    };
    let width = match (word(0), word(1)) {
        (Some(magic), Some(version)) if (magic, version) == GPT2 => Width::Two,
        (Some(magic), Some(version)) if (magic, version) == LLAMA3 => Width::Four,
        (Some(magic), Some(version)) if magic == GPT2.0 || magic == LLAMA3.0 => {
            return Err(damaged(format!("llm.c's header has version {version}, which is not known")));
        }
        _ if len % Width::Two.bytes() != 0 => {
            return Err(damaged(format!(
                "without llm.c's header it holds tokens of two bytes, as nanoGPT's do, and {len} bytes are an odd number"
            )));
        }
        _ => return Ok(Shard::new(path, bytes, 0..len, Width::Two)),
    };
    let num_tokens = word(2).unwrap_or(0) as usize;
    let (holds, says) = (len.saturating_sub(HEADER), num_tokens * width.bytes());
    if holds != says {
        return Err(damaged(format!(
            "its header tells of {num_tokens} tokens in {says} bytes, and {holds} bytes follow it"
        )));
    }
    Ok(Shard::new(path, bytes, HEADER..len, width))
}
