//! Foreign tensors one by one: which parameters each holds, its shape, and its values to theirs and back.

use super::{ForeignTensor, Layout, Orientation, View, view};
use crate::{Instance, Model};

/// One tensor of a foreign checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignInstance {
    /// Its name there.
    pub name: String,
    /// Its shape there. Axes of one entry may be missing or added.
    pub shape: Vec<usize>,
    /// What it holds, in order.
    pub pieces: Vec<Piece>,
    /// How.
    pub layout: Layout,
    matrices: usize,
    rows: Vec<usize>,
    columns: usize,
}

/// A parameter, or one slice of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The parameter.
    pub instance: Instance,
    /// The expert or the head, where the foreign tensor is that of one: an entry of the parameter's first dimension.
    /// `None` for the whole parameter.
    pub slice: Option<usize>,
}

impl Model {
    /// Every tensor that a foreign checkpoint of this model holds: outside the stack, then layer by layer.
    pub fn foreign_instances(&self) -> Vec<ForeignInstance> {
        let of = |layer: Option<usize>, tensor: &ForeignTensor| {
            let region =
                tensor.members.first().and_then(|id| self.params.get(id.0)).map(|param| param.region);
            let is_here = match layer {
                Some(layer) => self.stack.get(layer).copied() == region,
                None => region.is_some_and(|region| !self.stack.contains(&region)),
            };
            if is_here { self.of_tensor(tensor, layer) } else { Vec::new() }
        };
        let places = std::iter::once(None).chain((0..self.stack.len()).map(Some));
        places
            .flat_map(|layer| self.foreign.tensors.iter().flat_map(move |tensor| of(layer, tensor)))
            .collect()
    }

    fn of_tensor(&self, tensor: &ForeignTensor, layer: Option<usize>) -> Vec<ForeignInstance> {
        let views: Vec<View> = tensor
            .members
            .iter()
            .filter_map(|id| self.params.get(id.0))
            .map(|param| view(param, tensor.layout.heads))
            .collect();
        let Some(first) = views.first() else { return Vec::new() };
        let slices: Vec<Option<usize>> = match first.slices.filter(|_| tensor.name.has_slice()) {
            Some(slices) => (0..slices).map(Some).collect(),
            None => vec![None],
        };
        slices
            .into_iter()
            .map(|slice| ForeignInstance {
                name: tensor.name.of(layer, slice),
                shape: shape(&views, tensor.layout, slice),
                pieces: tensor
                    .members
                    .iter()
                    .map(|&param| Piece { instance: Instance { param, layer }, slice })
                    .collect(),
                layout: tensor.layout,
                matrices: if slice.is_some() { 1 } else { first.slices.unwrap_or(1) },
                rows: views.iter().map(|view| view.rows).collect(),
                columns: first.columns.unwrap_or(1),
            })
            .collect()
    }
}

fn shape(views: &[View], layout: Layout, slice: Option<usize>) -> Vec<usize> {
    let Some(first) = views.first() else { return Vec::new() };
    let rows = layout.skipped_rows + views.iter().map(|view| view.rows).sum::<usize>();
    let mut matrix: Vec<usize> = std::iter::once(rows).chain(first.columns).collect();
    match layout.orientation {
        Orientation::OutIn => {}
        Orientation::InOut => matrix.reverse(),
    }
    first.slices.filter(|_| slice.is_none()).into_iter().chain(matrix).collect()
}

impl ForeignInstance {
    /// The values of each piece, of this tensor's values in row-major order; `None` if there are not as many as its
    /// shape says.
    pub fn split<T: Copy>(&self, values: &[T]) -> Option<Vec<Vec<T>>> {
        let places = self.places();
        if values.len() != self.shape.iter().product::<usize>() {
            return None;
        }
        places.iter().map(|piece| piece.iter().map(|&place| values.get(place).copied()).collect()).collect()
    }

    /// This tensor's values of those of its pieces, each in row-major order; `None` if there are not as many as the
    /// pieces have entries. Skipped rows are `zero`.
    pub fn join<T: Copy>(&self, pieces: &[Vec<T>], zero: T) -> Option<Vec<T>> {
        let places = self.places();
        let fits = |(piece, places): (&Vec<T>, &Vec<usize>)| piece.len() == places.len();
        if pieces.len() != places.len() || !pieces.iter().zip(&places).all(fits) {
            return None;
        }
        let mut values = vec![zero; self.shape.iter().product()];
        for (place, value) in places.iter().flatten().zip(pieces.iter().flatten()) {
            *values.get_mut(*place)? = *value;
        }
        Some(values)
    }

    /// For each piece, for each of its entries in row-major order, its place among this tensor's entries.
    pub fn places(&self) -> Vec<Vec<usize>> {
        let num_blocks = self.layout.num_blocks.max(1);
        let kept: usize = self.rows.iter().sum();
        let all = kept + self.layout.skipped_rows;
        let per_block = kept / num_blocks;
        let mut before = 0;
        let mut places = Vec::with_capacity(self.rows.len());
        for &rows in &self.rows {
            let own = (rows / num_blocks).max(1);
            let mut piece = Vec::with_capacity(self.matrices * rows * self.columns);
            for matrix in 0..self.matrices {
                for row in 0..rows {
                    let there = self.layout.skipped_rows + row / own * per_block + before + row % own;
                    piece.extend((0..self.columns).map(|column| {
                        let in_matrix = match self.layout.orientation {
                            Orientation::OutIn => there * self.columns + column,
                            Orientation::InOut => column * all + there,
                        };
                        matrix * all * self.columns + in_matrix
                    }));
                }
            }
            before += rows / num_blocks;
            places.push(piece);
        }
        places
    }
}

#[cfg(test)]
mod tests;
