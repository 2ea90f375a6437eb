//! Shards end to end: one long row of tokens.

use crate::corpus::shard::Shard;
use std::ops::Range;
use std::sync::Arc;

/// Tokens that are read at once where all are gone through.
pub const CHUNK: usize = 1 << 16;

/// A row of tokens, in shards or parts of them.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    pieces: Vec<Piece>,
    len: usize,
}

/// A row for training and one for validation.
#[derive(Debug)]
pub struct Splits {
    /// For training.
    pub train: Stream,
    /// For validation.
    pub val: Stream,
    /// Whether they were one row, which does not say itself what is for which.
    pub is_cut: bool,
}

#[derive(Clone, Debug)]
struct Piece {
    shard: Arc<Shard>,
    /// The tokens of the shard that are of this stream.
    place: Range<usize>,
    /// The first of them in the stream.
    start: usize,
}

impl Stream {
    /// Whole shards, in this order.
    pub fn new(shards: impl IntoIterator<Item = Shard>) -> Self {
        let mut stream = Self::default();
        for shard in shards {
            let place = 0..shard.len();
            stream.push(Arc::new(shard), place);
        }
        stream
    }

    fn push(&mut self, shard: Arc<Shard>, place: Range<usize>) {
        let start = self.len;
        self.len += place.len();
        if !place.is_empty() {
            self.pieces.push(Piece { shard, place, start });
        }
    }

    /// This one and then `other`.
    #[must_use]
    pub fn followed_by(mut self, other: Self) -> Self {
        for Piece { shard, place, .. } in other.pieces {
            self.push(shard, place);
        }
        self
    }

    /// Its number of tokens.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Its shards.
    pub fn shards(&self) -> impl Iterator<Item = &Shard> {
        self.pieces.iter().map(|piece| piece.shard.as_ref())
    }

    /// The first `at` tokens and the others.
    pub fn split(self, at: usize) -> (Self, Self) {
        let (mut first, mut second) = (Self::default(), Self::default());
        for Piece { shard, place, start } in self.pieces {
            let cut = place.start + at.saturating_sub(start).min(place.len());
            first.push(shard.clone(), place.start..cut);
            second.push(shard, cut..place.end);
        }
        (first, second)
    }

    /// Appends `count` tokens from `start` on, as far as there are any.
    pub fn extend(&self, start: usize, count: usize, tokens: &mut Vec<i64>) {
        let end = (start + count).min(self.len);
        let first = self.pieces.partition_point(|piece| piece.start + piece.place.len() <= start);
        for piece in self.pieces.iter().skip(first).take_while(|piece| piece.start < end) {
            let from = piece.place.start + start.saturating_sub(piece.start);
            let to = piece.place.start + (end - piece.start).min(piece.place.len());
            piece.shard.extend(from..to, tokens);
        }
    }

    /// Up to `count` tokens from `start` on.
    pub fn tokens(&self, start: usize, count: usize) -> Vec<i64> {
        let mut tokens = Vec::with_capacity(count.min(self.len));
        self.extend(start, count, &mut tokens);
        tokens
    }

    /// Whether `token` is among them.
    pub fn holds(&self, token: i64) -> bool {
        (0..self.len).step_by(CHUNK).any(|start| self.tokens(start, CHUNK).contains(&token))
    }

    /// CRC-32 over the lengths and checksums of its pieces.
    pub fn crc32(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        for Piece { shard, place, .. } in &self.pieces {
            hasher.update(&shard.crc32.to_le_bytes());
            hasher.update(&(place.start as u64).to_le_bytes());
            hasher.update(&(place.end as u64).to_le_bytes());
        }
        hasher.finalize()
    }
}
