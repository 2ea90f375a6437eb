//! `dataset.json`: what a prepared folder holds, for trainers and for people.

use super::encoder::Encoder;
use crate::hash::hash;
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Its name.
pub const FILE: &str = "dataset.json";

/// A prepared folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    format: String,
    format_version: u32,
    /// Tokens are `0..vocab`.
    pub vocab: u32,
    /// SHA-256 of `tokenizer.json`, or `bytes`.
    pub tokenizer: String,
    /// The token that ends a document.
    pub end_of_text: u32,
    /// What is for training.
    pub train: Split,
    /// What is for validation.
    pub val: Split,
}

/// The documents of one purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// In all shards, with those that end documents.
    pub tokens: u64,
    /// How many begin here.
    pub documents: u64,
    /// Of text.
    pub bytes: u64,
    /// The files.
    pub shards: Vec<Listed>,
}

/// A shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its name in the folder.
    pub file: String,
    /// How many it holds.
    pub tokens: usize,
    /// CRC-32 of its tensors, in hexadecimal.
    pub crc32: String,
}

impl Dataset {
    /// Of these splits.
    pub fn new(encoder: &Encoder, train: Split, val: Split) -> anyhow::Result<Self> {
        let tokenizer =
            encoder.tokenizer_json()?.map_or_else(|| "bytes".to_owned(), |text| hash(text.as_bytes()));
        Ok(Self {
            format: "svspec.dataset".to_owned(),
            format_version: 1,
            vocab: encoder.vocab(),
            tokenizer,
            end_of_text: encoder.end_of_text(),
            train,
            val,
        })
    }

    /// Writes it to the folder.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self).context("a list is plain data")?;
        std::fs::write(folder.join(FILE), text + "\n").with_context(|| format!("cannot write `{FILE}`"))
    }
}
