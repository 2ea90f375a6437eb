//! Which entry of γ multiplies which channel: the sizes of a value and of γ in, one index per channel out.

/// For each channel of a value with these sizes, counted flat, the entry of γ that multiplies it. γ is aligned with
/// the trailing dimensions; its dimensions of size 1 broadcast.
pub(crate) fn channels(value: &[usize], gamma: &[usize]) -> Vec<usize> {
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
