//! One file of tokens: in memory, or mapped, so that a corpus may be larger than memory.

use crate::corpus::error::CorpusError;
use crate::ffi;
use memmap2::Mmap;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Bytes that the tokens lie in.
#[derive(Debug)]
pub enum Bytes {
    /// Read.
    Held(Vec<u8>),
    /// Mapped; a file that is cut short while a run reads it ends the run by a signal.
    Mapped(Mmap),
}

impl Bytes {
    /// Maps the file.
    pub fn map(path: &Path) -> Result<Self, CorpusError> {
        let mapped = File::open(path).and_then(|file| ffi::map(&file));
        mapped.map(Self::Mapped).map_err(|source| CorpusError::Read { path: path.to_owned(), source })
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Held(bytes) => bytes,
            Self::Mapped(mapped) => mapped,
        }
    }
}

/// How many bytes a token takes; little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// `u8`.
    One,
    /// `u16`.
    Two,
    /// `u32`.
    Four,
}

impl Width {
    /// In bytes.
    pub fn bytes(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
        }
    }
}

/// The tokens of one file.
#[derive(Debug)]
pub struct Shard {
    /// Where it lies.
    pub path: PathBuf,
    /// The largest token.
    pub largest: u32,
    /// CRC-32 of the tokens' bytes; guards against mistakes, not against malice.
    pub crc32: u32,
    bytes: Bytes,
    place: Range<usize>,
    width: Width,
}

impl Shard {
    /// The tokens at `place` in `bytes`, read once from end to end.
    pub fn new(path: &Path, bytes: Bytes, place: Range<usize>, width: Width) -> Self {
        let mut shard = Self { path: path.to_owned(), largest: 0, crc32: 0, bytes, place, width };
        shard.crc32 = crc32fast::hash(shard.raw());
        shard.largest = shard.tokens(0..shard.len()).max().unwrap_or(0);
        shard
    }

    /// Its number of tokens.
    pub fn len(&self) -> usize {
        self.place.len() / self.width.bytes()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the tokens in `range`, as far as there are any.
    pub fn extend(&self, range: Range<usize>, tokens: &mut Vec<i64>) {
        tokens.extend(self.tokens(range).map(i64::from));
    }

    fn raw(&self) -> &[u8] {
        self.bytes.as_ref().get(self.place.clone()).unwrap_or_default()
    }

    fn tokens(&self, range: Range<usize>) -> impl Iterator<Item = u32> {
        let width = self.width;
        let (start, end) = (range.start * width.bytes(), range.end * width.bytes());
        self.raw().get(start..end).unwrap_or_default().chunks_exact(width.bytes()).map(move |token| {
            let mut word = [0; 4];
            word.iter_mut().zip(token).for_each(|(to, &from)| *to = from);
            u32::from_le_bytes(word)
        })
    }
}
