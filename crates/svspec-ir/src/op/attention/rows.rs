//! Where the queries, keys, values and contexts of heads lie in flat tensors.

use crate::eval::Tensor;
use std::ops::Range;

/// One query: its sequence, its position and its head.
pub(super) struct Row {
    pub(super) batch: usize,
    pub(super) time: usize,
    pub(super) head: usize,
}

pub(super) struct Sizes {
    pub(super) batch: usize,
    pub(super) time: usize,
    pub(super) heads: usize,
    kv_heads: usize,
    head_dim: usize,
    pub(super) v_dim: usize,
}

impl Row {
    /// Which token of all sequences the query is of.
    pub(super) fn token(&self, sizes: &Sizes) -> usize {
        self.batch * sizes.time + self.time
    }
}

impl Sizes {
    pub(super) fn of(q: &Tensor, v: &Tensor) -> Self {
        let ([batch, time, heads, head_dim], [_, _, kv_heads, v_dim]) = (&q.shape[..], &v.shape[..]) else {
            unreachable!("q and v have heads, which infer checked")
        };
        let (batch, time, heads) = (*batch, *time, *heads);
        Self { batch, time, heads, kv_heads: *kv_heads, head_dim: *head_dim, v_dim: *v_dim }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row> + use<> {
        let (time, heads) = (self.time, self.heads);
        (0..self.batch * time * heads).map(move |row| Row {
            batch: row / heads / time,
            time: row / heads % time,
            head: row % heads,
        })
    }

    pub(super) fn query(&self, row: &Row) -> Range<usize> {
        entries((row.batch * self.time + row.time) * self.heads + row.head, self.head_dim)
    }

    pub(super) fn context(&self, row: &Row) -> Range<usize> {
        entries((row.batch * self.time + row.time) * self.heads + row.head, self.v_dim)
    }

    pub(super) fn key(&self, row: &Row, position: usize) -> Range<usize> {
        entries(self.kv_row(row, position), self.head_dim)
    }

    pub(super) fn value(&self, row: &Row, position: usize) -> Range<usize> {
        entries(self.kv_row(row, position), self.v_dim)
    }

    pub(super) fn kv_row(&self, row: &Row, position: usize) -> usize {
        let kv_head = row.head / (self.heads / self.kv_heads);
        (row.batch * self.time + position) * self.kv_heads + kv_head
    }
}

fn entries(row: usize, len: usize) -> Range<usize> {
    row * len..(row + 1) * len
}
