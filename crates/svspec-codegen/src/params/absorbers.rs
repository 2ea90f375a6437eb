//! Where a scale vector folds to the rows of a table: the weights whose size its own is balanced against.

use crate::literal;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::fold::{self, Side};
use svspec_ir::{Absorption, CheckedModel, Fold, ScaleFacts};

/// A parameter that takes γ, and which of its channels take which entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Absorber {
    path: String,
    /// Its tensor as so many matrices of so many rows and columns.
    matrices: [usize; 3],
    side: Side,
    /// Of γ, how many there are in all.
    num_entries: usize,
    blocks: Vec<Block>,
}

/// Channels in a row that take entries of γ at even distances, in each dimension of `sizes`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Block {
    channel: usize,
    entry: usize,
    sizes: Vec<usize>,
    strides: Vec<usize>,
}

/// Those of a vector: none if it folds nowhere, or in no pattern that a table can hold.
pub(super) fn absorbers(checked: &CheckedModel, facts: &ScaleFacts) -> Vec<Absorber> {
    let (folds, side) = match &facts.absorption {
        Absorption::IntoColumns(folds) => (folds, Side::Columns),
        Absorption::IntoRows(folds) => (folds, Side::Rows),
        Absorption::None(_) => return Vec::new(),
    };
    let all: Option<Vec<Absorber>> = folds.iter().map(|fold| absorber(checked, facts, fold, side)).collect();
    all.unwrap_or_default()
}

fn absorber(checked: &CheckedModel, facts: &ScaleFacts, fold: &Fold, side: Side) -> Option<Absorber> {
    let model = checked.model();
    let (vector, param) = (model.scales.get(facts.scale.0)?, model.params.get(fold.weight.0)?);
    let size: usize = param.dims.iter().map(|dim| dim.size).product();
    let num_matrices = vector.num_vectors.max(1);
    let num_channels = fold.channels.len() / num_matrices;
    let others = size.checked_div(num_matrices * num_channels)?;
    let side = fold::side_of(param.kind, side);
    let matrices = match side {
        Side::Columns => [num_matrices, others, num_channels],
        Side::Rows => [num_matrices, num_channels, others],
    };
    let num_entries = vector.dims.iter().map(|dim| dim.size).product();
    Some(Absorber { path: param.path.clone(), matrices, side, num_entries, blocks: blocks(&fold.channels)? })
}

/// The channels that take an entry, as blocks; `None` where entries stand at uneven distances.
fn blocks(channels: &[Option<usize>]) -> Option<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut channel = 0;
    for run in channels.chunk_by(|a, b| a.is_some() == b.is_some()) {
        let entries: Vec<usize> = run.iter().copied().flatten().collect();
        if let Some(&entry) = entries.first() {
            let (sizes, strides) = strided(&entries)?;
            blocks.push(Block { channel, entry, sizes, strides });
        }
        channel += run.len();
    }
    Some(blocks)
}

/// The dimensions, outermost first, of a view that lists these entries from the first.
fn strided(entries: &[usize]) -> Option<(Vec<usize>, Vec<usize>)> {
    let [first, second, ..] = entries else { return Some((Vec::new(), Vec::new())) };
    let stride = second.checked_sub(*first)?;
    let goes_on = |pair: &[usize]| matches!(pair, [a, b] if a + stride == *b);
    let size = 1 + entries.windows(2).take_while(|pair| goes_on(pair)).count();
    let rows = entries.chunks_exact(size);
    if !rows.remainder().is_empty() || !rows.clone().all(|row| row.windows(2).all(goes_on)) {
        return None;
    }
    let outer: Vec<usize> = rows.filter_map(|row| row.first().copied()).collect();
    let (mut sizes, mut strides) = strided(&outer)?;
    sizes.push(size);
    strides.push(stride);
    Some((sizes, strides))
}

impl Absorber {
    /// Its literal.
    pub(super) fn row(&self) -> TokenStream {
        let path = &self.path;
        let matrices = integers(&self.matrices);
        let entries = if self.takes_each_in_turn() {
            quote!(Entries::Each)
        } else {
            let blocks = self.blocks.iter().map(Block::literal);
            quote!(Entries::Blocks(&[#(#blocks),*]))
        };
        match self.side {
            Side::Columns => quote!(Absorber::columns(#path, [#matrices], #entries)),
            Side::Rows => quote!(Absorber::rows(#path, [#matrices], #entries)),
        }
    }

    /// Whether there are other patterns than that.
    pub(super) fn has_blocks(&self) -> bool {
        !self.takes_each_in_turn()
    }

    fn takes_each_in_turn(&self) -> bool {
        let [num_matrices, rows, columns] = self.matrices;
        let num_channels = num_matrices
            * match self.side {
                Side::Columns => columns,
                Side::Rows => rows,
            };
        let each = Block { channel: 0, entry: 0, sizes: vec![num_channels], strides: vec![1] };
        num_channels == self.num_entries && self.blocks == [each]
    }
}

impl Block {
    fn literal(&self) -> TokenStream {
        let [channel, entry] = [self.channel, self.entry].map(|place| literal::integer(place as u64));
        let [sizes, strides] = [&self.sizes, &self.strides].map(|list| integers(list));
        quote!(Block { channel: #channel, entry: #entry, sizes: &[#sizes], strides: &[#strides] })
    }
}

fn integers(list: &[usize]) -> TokenStream {
    let list = list.iter().map(|&number| literal::integer(number as u64));
    quote!(#(#list),*)
}

#[cfg(test)]
mod tests {
    use super::{Block, blocks};

    fn one(channels: &[usize]) -> Option<Vec<Block>> {
        blocks(&channels.iter().copied().map(Some).collect::<Vec<_>>())
    }

    fn block(channel: usize, entry: usize, sizes: &[usize], strides: &[usize]) -> Block {
        Block { channel, entry, sizes: sizes.to_vec(), strides: strides.to_vec() }
    }

    #[test]
    fn values_of_grouped_heads_are_a_view_in_three_dimensions() {
        let channels = [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5];
        assert_eq!(one(&channels), Some(vec![block(0, 0, &[2, 2, 3], &[3, 0, 1])]));
    }

    #[test]
    fn a_vector_shared_by_heads_repeats() {
        assert_eq!(one(&[0, 1, 0, 1, 0, 1]), Some(vec![block(0, 0, &[3, 2], &[0, 1])]));
    }

    #[test]
    fn a_number_for_each_head_stays() {
        assert_eq!(one(&[0, 0, 0, 1, 1, 1]), Some(vec![block(0, 0, &[2, 3], &[1, 0])]));
    }

    #[test]
    fn channels_without_an_entry_stand_between_blocks() {
        let channels = [None, Some(4), Some(5), None, Some(0)];
        let expected = vec![block(1, 4, &[2], &[1]), block(4, 0, &[], &[])];
        assert_eq!(blocks(&channels), Some(expected));
    }

    #[test]
    fn uneven_entries_are_no_view() {
        assert_eq!(one(&[0, 1, 3]), None);
        assert_eq!(one(&[2, 1, 0]), None);
    }
}
