//! The layout of one foreign tensor: its values to those of its members, and back.
//!
//! Shapes: `e` slices, experts or heads (1 where there are none), `n` blocks, `r` rows, `c` columns (1 of vectors).

use super::{ForeignRow, Orientation};
use crate::spec::instance_name;
use tch::{Kind, Tensor};

/// What stands for the number of a slice in a name.
const SLICES: [&str; 2] = ["{expert}", "{head}"];

impl ForeignRow {
    /// The names in one layer: one, or one for each slice.
    pub fn names(&self, layer: Option<usize>) -> Vec<String> {
        let name = match layer {
            Some(layer) => self.name.replace("{layer}", &layer.to_string()),
            None => self.name.to_owned(),
        };
        let of_slice = |slice: i64| {
            SLICES.iter().fold(name.clone(), |name, word| name.replace(word, &slice.to_string()))
        };
        match self.slices {
            Some(slices) if self.is_per_slice() => (0..slices).map(of_slice).collect(),
            Some(_) | None => vec![name],
        }
    }

    /// The shape of the tensor of each name.
    pub fn shape(&self) -> Vec<i64> {
        let mut matrix = vec![self.num_rows() + self.skipped_rows];
        matrix.extend(self.columns);
        match self.orientation {
            Orientation::OutIn => {}
            Orientation::InOut => matrix.reverse(),
        }
        let slices = self.slices.filter(|_| !self.is_per_slice());
        slices.into_iter().chain(matrix).collect()
    }

    /// The members, by name, in the tensors of [`ForeignRow::names`]: each `[slices, rows, columns]` without what it has not.
    pub fn members_of(&self, parts: &[Tensor], layer: Option<usize>) -> Vec<(String, Tensor)> {
        let all = self.num_rows() + self.skipped_rows;
        let matrices: Vec<Tensor> = parts.iter().map(|part| self.turned(part, all)).collect();
        let kept_erc = Tensor::cat(&matrices, 0).narrow(1, self.skipped_rows, self.num_rows());
        let blocks_enrc = kept_erc.reshape([
            self.num_slices(),
            self.num_blocks,
            self.num_rows() / self.num_blocks,
            self.num_columns(),
        ]);
        let mut before = 0;
        let mut members = Vec::new();
        for &(path, rows) in self.members {
            let own = rows / self.num_blocks;
            let member = blocks_enrc.narrow(2, before, own).contiguous();
            before += own;
            members.push((instance_name(path, layer), member));
        }
        members
    }

    /// The tensors of [`ForeignRow::names`] that hold `members`.
    pub fn foreign_of(&self, members: &[&Tensor]) -> Vec<Tensor> {
        let blocks: Vec<Tensor> = members
            .iter()
            .zip(self.members)
            .map(|(member, (_, rows))| {
                let own = rows / self.num_blocks;
                member.reshape([self.num_slices(), self.num_blocks, own, self.num_columns()])
            })
            .collect();
        let (slices, columns) = (self.num_slices(), self.num_columns());
        let mut values_erc = Tensor::cat(&blocks, 2).reshape([slices, self.num_rows(), columns]);
        if self.skipped_rows > 0 {
            let kind: Kind = values_erc.kind();
            let skipped = Tensor::zeros([slices, self.skipped_rows, columns], (kind, values_erc.device()));
            values_erc = Tensor::cat(&[skipped, values_erc], 1);
        }
        let turned = match self.orientation {
            Orientation::OutIn => values_erc,
            Orientation::InOut => values_erc.transpose(1, 2),
        };
        let shape = self.shape();
        if self.is_per_slice() {
            (0..slices).map(|slice| turned.get(slice).reshape(shape.as_slice())).collect()
        } else {
            vec![turned.reshape(shape.as_slice())]
        }
    }

    /// A foreign tensor, with `all` rows, as `[e, all, c]`.
    fn turned(&self, part: &Tensor, all: i64) -> Tensor {
        match self.orientation {
            Orientation::OutIn => part.reshape([-1, all, self.num_columns()]),
            Orientation::InOut => part.reshape([-1, self.num_columns(), all]).transpose(1, 2),
        }
    }

    fn is_per_slice(&self) -> bool {
        SLICES.iter().any(|word| self.name.contains(word))
    }

    fn num_slices(&self) -> i64 {
        self.slices.unwrap_or(1)
    }

    fn num_columns(&self) -> i64 {
        self.columns.unwrap_or(1)
    }

    fn num_rows(&self) -> i64 {
        self.members.iter().map(|(_, rows)| rows).sum()
    }
}
