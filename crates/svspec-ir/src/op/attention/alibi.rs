//! ALiBi's slopes (arXiv 2108.12409): head in, what its scores lose for each position between.

/// ALiBi's slope of a head, counted from 0: of n = 2^m heads `2^(−bound · (head + 1) / n)`; of others, those of the next
/// smaller power of two, then every other one of twice as many.
pub fn slope(head: usize, num_heads: usize, bound: f64) -> f64 {
    let power = num_heads.checked_ilog2().map_or(1, |exponent| 1_usize << exponent);
    let share = if head < power {
        (head + 1) as f64 / power as f64
    } else {
        (2 * (head - power) + 1) as f64 / (2 * power) as f64
    };
    (-bound * share).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_transformers() {
        // Printed by `_get_alibi_slopes` of its BLOOM; its MPT prints the same.
        let of_six = [0.25, 0.0625, 0.015_625, 0.003_906_25, 0.5, 0.125];
        let of_four = [0.25, 0.0625, 0.015_625, 0.003_906_25];
        for (expected, bound) in [(&of_six[..], 8.0), (&of_four[..], 8.0)] {
            let found: Vec<f64> =
                (0..expected.len()).map(|head| slope(head, expected.len(), bound)).collect();
            assert_eq!(found, expected);
        }
    }
}
