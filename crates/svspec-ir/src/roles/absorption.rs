//! Whether γ folds exactly into neighbouring weights: forward into columns first, else backward into rows.

use super::{columns, flow, rows};
use crate::role::Fold;
use crate::{Absorption, Model, Proof, ScaleId};

/// A way along the flow on which γ folds, or the reason why it does not.
pub(super) type Folding = Result<Vec<Fold>, String>;

/// The absorption of `scale`, and the path that proves it.
pub(super) fn absorption(model: &Model, scale: ScaleId) -> (Absorption, Proof) {
    let places = flow::applications(model, scale);
    if places.is_empty() {
        let reason = "nothing applies it".to_owned();
        return (Absorption::None(reason.clone()), Proof { steps: vec![reason] });
    }
    let mut steps = Vec::new();
    let no_columns = match columns::fold(model, scale, &places, &mut steps) {
        Ok(folds) => return (Absorption::IntoColumns(folds), Proof { steps }),
        Err(reason) => reason,
    };
    let mut backward_steps = Vec::new();
    match rows::fold(model, scale, &places, &mut backward_steps) {
        Ok(folds) => {
            let first = format!("forward it does not fold: {no_columns}");
            let steps = std::iter::once(first).chain(backward_steps).collect();
            (Absorption::IntoRows(folds), Proof { steps })
        }
        Err(no_rows) => {
            steps.push(format!("forward it does not fold: {no_columns}"));
            steps.extend(backward_steps);
            steps.push(format!("backward it does not fold: {no_rows}"));
            (Absorption::None(format!("{no_columns}; {no_rows}")), Proof { steps })
        }
    }
}

/// For each channel of a value with these sizes, counted flat, the entry of γ that multiplies it. γ is aligned with
/// the trailing dimensions; its dimensions of size 1 broadcast.
pub(super) fn channels(value: &[usize], gamma: &[usize]) -> Vec<usize> {
    let num_elements: usize = value.iter().product();
    (0..num_elements)
        .map(|channel| {
            let (mut rest, mut entry, mut stride) = (channel, 0, 1);
            let mut gamma_sizes = gamma.iter().rev();
            for &size in value.iter().rev() {
                let index = rest % size;
                rest /= size;
                let Some(&gamma_size) = gamma_sizes.next() else { break };
                if gamma_size > 1 {
                    entry += index * stride;
                }
                stride *= gamma_size;
            }
            entry
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::channels;

    #[test]
    fn full_vector_is_one_entry_per_channel() {
        assert_eq!(channels(&[2, 3], &[2, 3]), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn vector_over_head_dim_repeats_for_each_head() {
        assert_eq!(channels(&[2, 3], &[3]), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn one_number_per_head_repeats_within_it() {
        assert_eq!(channels(&[2, 3], &[2, 1]), [0, 0, 0, 1, 1, 1]);
    }

    #[test]
    fn scalar_multiplies_everything() {
        assert_eq!(channels(&[2, 2], &[]), [0, 0, 0, 0]);
    }
}
