//! Vectors of which each expert has one: those of the chosen, for each copy of a token.

use crate::eval::Tensor;
use crate::{Dim, Dims, dim};

/// The dimensions of a value that is given a vector of its own by each expert, or what does not fit.
pub(super) fn infer(path: &str, vectors: &[Dim], inputs: &[&[Dim]]) -> Result<Dims, String> {
    let [x, chosen] = super::arity(inputs)?;
    match (x, chosen, vectors) {
        ([copies, channels @ ..], [experts], [_, entries @ ..])
            if copies.size == experts.size && dim::sizes(channels) == dim::sizes(entries) =>
        {
            Ok(x.to_vec())
        }
        _ => Err(format!("`{path}` {} does not fit {}", dim::show(vectors), dim::show(x))),
    }
}

/// The vector of the expert that each copy is given to, copy by copy.
pub(super) fn of_copies<'t>(vectors: &'t Tensor, chosen: &'t Tensor) -> impl Iterator<Item = &'t [f64]> + 't {
    let num_entries = num_entries(vectors);
    let vector = move |expert: &f64| vectors.data.chunks_exact(num_entries).nth(*expert as usize);
    chosen.data.iter().map(move |expert| vector(expert).expect("a chosen expert is one of them"))
}

/// The transpose of [`of_copies`]: what the copies say, summed for each expert.
pub(super) fn gather(of_copies: &[f64], vectors: &Tensor, chosen: &Tensor) -> Tensor {
    let num_entries = num_entries(vectors);
    let mut sums = Tensor::zeros(&vectors.shape);
    for (terms, expert) in of_copies.chunks_exact(num_entries).zip(&chosen.data) {
        if let Some(sums) = sums.data.chunks_exact_mut(num_entries).nth(*expert as usize) {
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
    }
    sums
}

fn num_entries(vectors: &Tensor) -> usize {
    vectors.shape.iter().skip(1).product::<usize>().max(1)
}
