//! What tokens stand for: token ids in, text out.

use crate::corpus::error::CorpusError;
use crate::tensor_file;
use std::path::Path;
use tch::{Kind, Tensor};

/// Its name in a prepared folder: `bytes` (U8), those of all tokens one after another, and `ends` (I64, `[vocab]`), where each ends.
const FILE: &str = "vocabulary.safetensors";

/// The meaning of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vocabulary {
    /// A token is a byte.
    Bytes,
    /// A token is these bytes.
    Table(Vec<Vec<u8>>),
    /// Not known; tokens are shown by number.
    Unknown,
}

impl Vocabulary {
    /// That of a prepared folder whose tokens are `0..vocab`; without the file, they are bytes if they can be.
    pub fn read(folder: &Path, vocab: u32) -> Result<Self, CorpusError> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Ok(if vocab <= 256 { Self::Bytes } else { Self::Unknown });
        }
        let damaged = |reason: String| CorpusError::Damaged { path: path.clone(), reason };
        let file = tensor_file::read(&path).map_err(|error| damaged(error.to_string()))?;
        let tensor =
            |name: &str| file.tensors.get(name).ok_or_else(|| damaged(format!("it holds no `{name}`")));
        let bytes = integers(tensor("bytes")?);
        let mut start = 0;
        let entries = integers(tensor("ends")?).into_iter().map(|end| {
            let end = usize::try_from(end).unwrap_or(0);
            let entry = bytes.get(start..end)?.iter().map(|&byte| byte as u8).collect();
            start = end;
            Some(entry)
        });
        let table: Option<Vec<Vec<u8>>> = entries.collect();
        table
            .map(Self::Table)
            .ok_or_else(|| damaged("the ends of its tokens do not fit its bytes".to_owned()))
    }

    /// How many of the model's tokens a text may be made of.
    pub fn len(&self, vocab: i64) -> i64 {
        match self {
            Self::Bytes => vocab.min(256),
            Self::Table(table) => vocab.min(table.len() as i64),
            Self::Unknown => vocab,
        }
    }

    /// The text of `tokens`; bytes that are not UTF-8 show as �, tokens that are not known by their numbers.
    pub fn text(&self, tokens: &[i64]) -> String {
        match self {
            Self::Bytes => {
                let bytes: Vec<u8> = tokens.iter().map(|&token| token as u8).collect();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            Self::Table(table) => {
                let entry = |token: &i64| table.get(usize::try_from(*token).ok()?);
                let bytes: Vec<u8> = tokens.iter().filter_map(entry).flatten().copied().collect();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            Self::Unknown => {
                let numbers: Vec<String> = tokens.iter().map(ToString::to_string).collect();
                numbers.join(" ")
            }
        }
    }
}

fn integers(tensor: &Tensor) -> Vec<i64> {
    Vec::try_from(tensor.to_kind(Kind::Int64).flatten(0, -1)).unwrap_or_default()
}
