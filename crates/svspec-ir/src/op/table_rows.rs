//! A table and the row of each token in; the rows, or their gradient laid back into the table, out.

use crate::eval::Tensor;

/// The row of each token. Every row is one of the table's, which shapes and vocabulary were checked for.
pub fn gather(table: &Tensor, tokens: &Tensor, rows: impl Iterator<Item = usize>) -> Tensor {
    let channels = table.shape.get(1..).unwrap_or_default();
    let width = channels.iter().product::<usize>().max(1);
    let row = |row: usize| table.data.chunks_exact(width).nth(row).expect("every row is one of the table's");
    Tensor::new(tokens.shape_with(channels), rows.flat_map(row).copied().collect())
}

/// The sum, in each row of the table, of the gradients of the tokens that read it.
pub fn scatter(table: &Tensor, gradient: &Tensor, rows: impl Iterator<Item = usize>) -> Tensor {
    let mut of_table = Tensor::zeros(&table.shape);
    let width = gradient.num_channels().max(1);
    for (row, from) in rows.zip(gradient.tokens()) {
        if let Some(row) = of_table.data.chunks_exact_mut(width).nth(row) {
            for (sum, term) in row.iter_mut().zip(from) {
                *sum += term;
            }
        }
    }
    of_table
}
