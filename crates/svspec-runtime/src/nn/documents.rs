//! Where documents lie in sequences of tokens, and what stays within them.

use super::{delay, embedding, position_gain};
use std::sync::{Arc, Mutex, PoisonError};
use tch::{Kind, Tensor};

/// The documents of a batch, for one forward pass.
#[derive(Debug)]
pub struct Documents {
    /// The first position of each token's document, `[b, t]`, i64.
    start_bt: Tensor,
    /// Made when first asked for; the layers share them.
    masks: Arc<Mutex<Vec<Mask>>>,
}

/// What queries see of their documents, as truth values or as what is added to scores.
#[derive(Debug)]
struct Mask {
    window: Option<i64>,
    chunk: Option<i64>,
    values_b1tt: Tensor,
}

impl Documents {
    /// Those that the token `end` ends, of which it is the last.
    pub fn new(tokens_bt: &Tensor, end: i64) -> Self {
        let (num_sequences, num_tokens) = tokens_bt.size2().unwrap_or((0, 0));
        let integers = (Kind::Int64, tokens_bt.device());
        let next_bt = tokens_bt.eq(end).to_kind(Kind::Int64) * (Tensor::arange(num_tokens, integers) + 1);
        let first_b1 = Tensor::zeros([num_sequences, 1], integers);
        let begun_bt = Tensor::cat(&[first_b1, next_bt.narrow(1, 0, (num_tokens - 1).max(0))], 1);
        let (start_bt, _) = begun_bt.cummax(1);
        Self { start_bt, masks: Arc::default() }
    }

    /// The same documents, and the same masks.
    #[must_use]
    pub fn shallow_clone(&self) -> Self {
        Self { start_bt: self.start_bt.shallow_clone(), masks: Arc::clone(&self.masks) }
    }

    /// What `x_bt` is at each token's place in its document: `x_bt` is the same in every sequence, along its second axis.
    pub fn by_position(&self, x_bt: &Tensor) -> Tensor {
        let sizes = x_bt.size();
        let index_bt = self.along(&self.position_bt(), sizes.len());
        x_bt.gather(1, &index_bt.expand(sizes.as_slice(), false), false)
    }

    /// [`delay`], with 0 for the first `steps` tokens of each document.
    pub fn delay(&self, x_bt: &Tensor, steps: i64) -> Tensor {
        let is_first_bt = self.along(&self.position_bt().lt(steps), x_bt.dim());
        delay(x_bt, steps).masked_fill(&is_first_bt, 0.0)
    }

    /// [`positions`](super::positions), which begin anew with each document.
    pub fn positions(&self, table_pd: &Tensor, offset: i64) -> Tensor {
        embedding(table_pd, &(self.position_bt() + offset))
    }

    /// [`position_gain`], with positions that begin anew with each document.
    pub fn position_gain(&self, x_bt: &Tensor, factor: impl Fn(f64) -> f64) -> Tensor {
        let kind = if x_bt.kind() == Kind::Double { Kind::Double } else { Kind::Float };
        let ones_bt = self.start_bt.ones_like().to_kind(kind);
        let factor_bt = self.by_position(&position_gain(&ones_bt, factor));
        (x_bt * self.along(&factor_bt, x_bt.dim())).to_kind(x_bt.kind())
    }

    /// True where query `i` (row) sees key `j` (column), `[b, 1, t, t]`: of its document, and of its window and its chunk of that, if
    /// there are such.
    pub(super) fn visible(&self, window: Option<i64>, chunk: Option<i64>) -> Tensor {
        self.mask(window, chunk, Kind::Bool, |visible_b1tt| visible_b1tt)
    }

    /// 0 there, and −∞ elsewhere.
    pub(super) fn added(&self, window: Option<i64>, chunk: Option<i64>, kind: Kind) -> Tensor {
        self.mask(window, chunk, kind, |visible_b1tt| {
            let mut added_b1tt = Tensor::zeros(visible_b1tt.size().as_slice(), (kind, visible_b1tt.device()));
            added_b1tt.masked_fill_(&visible_b1tt.logical_not(), f64::NEG_INFINITY)
        })
    }

    fn mask(
        &self,
        window: Option<i64>,
        chunk: Option<i64>,
        kind: Kind,
        make: impl FnOnce(Tensor) -> Tensor,
    ) -> Tensor {
        // Nothing is left half done by a panic.
        let mut masks = self.masks.lock().unwrap_or_else(PoisonError::into_inner);
        let is_asked =
            |mask: &&Mask| (mask.window, mask.chunk, mask.values_b1tt.kind()) == (window, chunk, kind);
        if let Some(known) = masks.iter().find(is_asked) {
            return known.values_b1tt.shallow_clone();
        }
        let values_b1tt = make(self.see(window, chunk));
        masks.push(Mask { window, chunk, values_b1tt: values_b1tt.shallow_clone() });
        values_b1tt
    }

    fn see(&self, window: Option<i64>, chunk: Option<i64>) -> Tensor {
        let key_t = self.index_t();
        let mut first_bt = self.start_bt.shallow_clone();
        if let Some(window) = window {
            first_bt = first_bt.maximum(&(&key_t + (1 - window)));
        }
        if let Some(chunk) = chunk {
            let of_chunk_bt = self.position_bt().floor_divide_scalar(chunk) * chunk;
            first_bt = first_bt.maximum(&(&self.start_bt + of_chunk_bt));
        }
        let is_before_tt = key_t.unsqueeze(0).le_tensor(&key_t.unsqueeze(1));
        key_t.ge_tensor(&first_bt.unsqueeze(-1)).logical_and(&is_before_tt).unsqueeze(1)
    }

    /// `0..t`
    fn index_t(&self) -> Tensor {
        let (_, num_tokens) = self.start_bt.size2().unwrap_or((0, 0));
        Tensor::arange(num_tokens, (Kind::Int64, self.start_bt.device()))
    }

    /// Each token's place in its document, from 0, `[b, t]`.
    fn position_bt(&self) -> Tensor {
        self.index_t() - &self.start_bt
    }

    /// `x_bt` with as many axes as there are to be, of size 1.
    fn along(&self, x_bt: &Tensor, num_axes: usize) -> Tensor {
        let mut sizes = self.start_bt.size();
        sizes.resize(num_axes.max(2), 1);
        x_bt.view(sizes.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 6 tokens each: documents of 2, 3 and 1 tokens, and one of all.
    fn documents() -> Documents {
        let tokens = Tensor::from_slice(&[5_i64, 0, 7, 8, 0, 9, 1, 2, 3, 4, 5, 6]).view([2, 6]);
        Documents::new(&tokens, 0)
    }

    fn integers(x: &Tensor) -> Vec<i64> {
        Vec::try_from(x.to_kind(Kind::Int64).reshape([-1])).expect("numbers")
    }

    #[test]
    fn a_token_that_ends_a_document_is_its_last() {
        assert_eq!(integers(&documents().start_bt), [0, 0, 2, 2, 2, 5, 0, 0, 0, 0, 0, 0]);
        assert_eq!(integers(&documents().position_bt()), [0, 1, 0, 1, 2, 0, 0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_query_sees_its_document_as_far_as_window_and_chunk_go() {
        // The first key that each query sees; it sees all from there to itself.
        let firsts = |window: Option<i64>, chunk: Option<i64>| {
            let visible_b1tt = documents().visible(window, chunk);
            let count = integers(&visible_b1tt.to_kind(Kind::Int64).sum_dim_intlist(-1, false, None));
            let index = (0..12).map(|token| token % 6);
            let firsts: Vec<i64> =
                count.iter().zip(index.clone()).map(|(count, index)| index + 1 - count).collect();
            for (row, (first, index)) in integers(&visible_b1tt).chunks(6).zip(firsts.iter().zip(index)) {
                let sees = |key: usize| (*first..=index).contains(&(key as i64));
                assert!(row.iter().enumerate().all(|(key, &seen)| (seen == 1) == sees(key)), "{row:?}");
            }
            firsts
        };
        assert_eq!(firsts(None, None), [0, 0, 2, 2, 2, 5, 0, 0, 0, 0, 0, 0]);
        assert_eq!(firsts(Some(2), None), [0, 0, 2, 2, 3, 5, 0, 0, 1, 2, 3, 4]);
        assert_eq!(firsts(None, Some(2)), [0, 0, 2, 2, 4, 5, 0, 0, 2, 2, 4, 4]);
        assert_eq!(firsts(Some(3), Some(4)), [0, 0, 2, 2, 2, 5, 0, 0, 0, 1, 4, 4]);
    }

    #[test]
    fn a_mask_is_made_once_for_all_clones() {
        let first = documents();
        let again = first.shallow_clone();
        let masks = [&first, &again].map(|documents| documents.added(Some(2), None, Kind::Float));
        assert_eq!(
            masks.each_ref().map(Tensor::data_ptr).iter().collect::<std::collections::BTreeSet<_>>().len(),
            1
        );
        assert_eq!(again.added(Some(2), None, Kind::BFloat16).kind(), Kind::BFloat16);
        assert_eq!(integers(&first.visible(Some(2), None)).iter().sum::<i64>(), 20);
    }

    #[test]
    fn what_depends_on_the_position_begins_anew() {
        let x = Tensor::arange(12, (Kind::Float, tch::Device::Cpu)).view([2, 6, 1]) + 1.0;
        let documents = documents();
        assert_eq!(integers(&documents.delay(&x, 1)), [0, 1, 0, 3, 4, 0, 0, 7, 8, 9, 10, 11]);
        assert_eq!(
            integers(&documents.delay(&x.view([2, 6, 1, 1]), 2)),
            [0, 0, 0, 0, 3, 0, 0, 0, 7, 8, 9, 10]
        );
        let doubled = documents.position_gain(&x, |position| 1.0 + position);
        assert_eq!(integers(&doubled), [1, 4, 3, 8, 15, 6, 7, 16, 27, 40, 55, 72]);
        let table = Tensor::arange(8, (Kind::Float, tch::Device::Cpu)).view([8, 1]);
        let rows = documents.positions(&table, 1);
        assert_eq!(integers(&rows), [1, 2, 1, 2, 3, 1, 1, 2, 3, 4, 5, 6]);
    }
}
