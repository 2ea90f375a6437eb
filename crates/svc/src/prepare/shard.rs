//! Tokens in, files of them out: safetensors with the tokens, where documents begin, and a checksum.

use super::dataset::{Listed, Split};
use super::split::Part;
use anyhow::Context as _;
use safetensors::{Dtype, tensor::TensorView};
use serde::Serialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The shards of one split, the last of which is still being filled.
#[derive(Debug)]
pub struct Shards {
    folder: PathBuf,
    part: Part,
    dtype: Dtype,
    max_tokens: usize,
    tokens: Vec<u32>,
    /// Where documents begin in `tokens`.
    documents: Vec<u64>,
    /// Whether the next token is of a new document.
    begins: bool,
    done: Split,
}

/// The note in a shard's header. The format has room for several; one is written in the same bytes every time.
#[derive(Serialize)]
struct Note {
    crc32: String,
}

impl Shards {
    /// None yet. A token takes the fewest bytes that hold all of `vocab`.
    pub fn new(folder: &Path, part: Part, vocab: u32, max_tokens: usize) -> Self {
        let dtype = match vocab {
            0..=0x100 => Dtype::U8,
            0x101..=0x1_0000 => Dtype::U16,
            _ => Dtype::U32,
        };
        Self {
            folder: folder.to_owned(),
            part,
            dtype,
            max_tokens: max_tokens.max(1),
            tokens: Vec::new(),
            documents: Vec::new(),
            begins: true,
            done: Split::default(),
        }
    }

    /// Appends a piece of a document, which stands for `bytes` bytes of text, and the token that ends it, if it ends. A
    /// document goes on in the next shard where one is full.
    pub fn push(&mut self, tokens: &[u32], bytes: usize, end: Option<u32>) -> anyhow::Result<()> {
        self.done.bytes += bytes as u64;
        for &token in tokens.iter().chain(&end) {
            if self.tokens.len() == self.max_tokens {
                self.write()?;
            }
            if self.begins {
                self.documents.push(self.tokens.len() as u64);
                self.begins = false;
            }
            self.tokens.push(token);
        }
        self.begins |= end.is_some();
        Ok(())
    }

    /// Writes what is left; the list of all shards.
    pub fn finish(mut self) -> anyhow::Result<Split> {
        if !self.tokens.is_empty() {
            self.write()?;
        }
        Ok(self.done)
    }

    fn write(&mut self) -> anyhow::Result<()> {
        let tokens = std::mem::take(&mut self.tokens);
        let documents = std::mem::take(&mut self.documents);
        let width = self.dtype.bitsize() / 8;
        let token_bytes: Vec<u8> =
            tokens.iter().flat_map(|token| token.to_le_bytes().into_iter().take(width)).collect();
        let document_bytes: Vec<u8> = documents.iter().flat_map(|start| start.to_le_bytes()).collect();
        // As safetensors lays them out: the wider type first.
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&document_bytes);
        hasher.update(&token_bytes);
        let crc32 = format!("{:08x}", hasher.finalize());
        let note = serde_json::to_string(&Note { crc32: crc32.clone() }).context("a note is plain data")?;
        let views = [
            ("documents", TensorView::new(Dtype::U64, vec![documents.len()], &document_bytes)?),
            ("tokens", TensorView::new(self.dtype, vec![tokens.len()], &token_bytes)?),
        ];
        let file = format!("{}-{:05}.safetensors", self.part.word(), self.done.shards.len());
        let notes = HashMap::from([("svspec".to_owned(), note)]);
        let bytes = safetensors::serialize(views, Some(notes)).context("tokens fit a safetensors file")?;
        std::fs::write(self.folder.join(&file), bytes)
            .with_context(|| format!("cannot write the shard `{file}`"))?;
        self.done.tokens += tokens.len() as u64;
        self.done.documents += documents.len() as u64;
        self.done.shards.push(Listed { file, tokens: tokens.len(), crc32 });
        Ok(())
    }
}
