//! Where in its document a token stands.

use super::{Environment, Tensor};

/// The documents of some sequences: as `document_end` ends them, else one for each sequence.
#[derive(Debug)]
pub struct Documents {
    /// For each token of all sequences, the first position of its document.
    starts: Vec<usize>,
    num_tokens: usize,
}

impl Documents {
    /// Those of the sequences of `x`, `[batch, time, …]`. A token that ends a document is its last.
    pub fn of(env: &Environment<'_>, x: &Tensor) -> Self {
        let count = |axis: usize| x.shape.get(axis).copied().unwrap_or(1);
        let (batch, num_tokens) = (count(0), count(1).max(1));
        let Some(end) = env.model.document_end else {
            return Self { starts: vec![0; batch * num_tokens], num_tokens };
        };
        let starts = env.tokens.data.chunks(num_tokens).flat_map(|sequence| {
            let ends = sequence.iter().map(move |&token| token as usize == end).enumerate();
            ends.scan(0, |next, (position, ends)| {
                let start = *next;
                if ends {
                    *next = position + 1;
                }
                Some(start)
            })
        });
        Self { starts: starts.collect(), num_tokens }
    }

    /// How many tokens there are.
    pub fn num_tokens(&self) -> usize {
        self.starts.len()
    }

    /// The first position, in its sequence, of the document of token `index` of all.
    pub fn start(&self, index: usize) -> usize {
        self.starts.get(index).copied().unwrap_or(0)
    }

    /// The place of token `index` of all in its document, from 0.
    pub fn position(&self, index: usize) -> usize {
        index % self.num_tokens - self.start(index)
    }
}
