//! A seed and the number of a sequence in, the window it reads out: every window once before any a second time. What is read
//! depends on nothing else, so the number of sequences seen is the cursor, in any number of processes.

use crate::random;

/// Rounds of the Feistel network.
const NUM_ROUNDS: u64 = 6;

/// Where sequence `number` starts in a row of `num_tokens` tokens, from which windows of `context` tokens and one target are
/// cut. Each epoch cuts the row into windows that do not overlap, from a first token of its own, and takes them in an order of
/// its own; less than two windows of an epoch are left out.
pub fn start(seed: u64, number: u64, num_tokens: usize, context: usize) -> usize {
    let (context, room) = (context.max(1) as u64, num_tokens.saturating_sub(context).max(1) as u64);
    let num_windows = windows_per_epoch(num_tokens, context as usize);
    let (epoch, index) = (number / num_windows, number % num_windows);
    let epoch_seed = random::at(random::named(seed, "epochs"), epoch);
    let phase = random::below(random::named(epoch_seed, "phase"), context.min(room));
    (phase + context * permuted(random::named(epoch_seed, "order"), index, num_windows)) as usize
}

/// Windows of one epoch.
pub fn windows_per_epoch(num_tokens: usize, context: usize) -> u64 {
    (num_tokens.saturating_sub(context) / context.max(1)).max(1) as u64
}

/// Where `index` goes in a random order of `0..count`: a bijection, by a Feistel network over the next power of 4, walked
/// until it falls below `count` (Black & Rogaway, Ciphers with Arbitrary Finite Domains, 2002). No table is held.
pub fn permuted(seed: u64, index: u64, count: u64) -> u64 {
    let half_bits = (64 - count.saturating_sub(1).leading_zeros()).div_ceil(2).max(1);
    let mask = (1_u64 << half_bits) - 1;
    let mut place = index;
    loop {
        let (mut left, mut right) = (place >> half_bits, place & mask);
        for round in 0..NUM_ROUNDS {
            let mixed = random::at(random::at(seed, round), right) >> (64 - half_bits);
            (left, right) = (right, left ^ mixed);
        }
        place = (left << half_bits) | right;
        if place < count {
            return place;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_order_holds_every_index_once_and_differs_by_seed() {
        for count in [1, 2, 3, 5, 16, 17, 1000, 4097] {
            let order = |seed| (0..count).map(|index| permuted(seed, index, count)).collect::<Vec<_>>();
            assert_eq!(order(1).iter().copied().collect::<BTreeSet<_>>(), (0..count).collect(), "{count}");
            assert_eq!(order(1), order(1));
            assert!(count < 16 || order(1) != order(2), "{count}");
        }
    }

    #[test]
    fn an_order_has_no_memory_of_where_an_index_stood() {
        // The mean of |π(i) − i| over a random order of n is (n² − 1) / 3n; its standard deviation is about n / √(22n).
        let count = 10_000;
        let moved: u64 = (0..count).map(|index| permuted(7, index, count).abs_diff(index)).sum();
        let mean = moved as f64 / count as f64;
        assert!((mean - 3333.3).abs() < 100.0, "{mean}");
    }

    #[test]
    fn an_epoch_reads_no_token_twice_and_leaves_out_less_than_two_windows() {
        let (num_tokens, context) = (1003, 10);
        let num_windows = windows_per_epoch(num_tokens, context);
        for epoch in 0..20 {
            let numbers = epoch * num_windows..(epoch + 1) * num_windows;
            let mut starts: Vec<usize> =
                numbers.map(|number| start(3, number, num_tokens, context)).collect();
            starts.sort_unstable();
            assert!(starts.windows(2).all(|pair| pair[1] == pair[0] + context), "{starts:?}");
            // The last target is one token on.
            assert!(starts.last().is_some_and(|last| last + context < num_tokens), "{starts:?}");
            assert!(starts.len() * context > num_tokens - 2 * context);
        }
    }

    #[test]
    fn epochs_differ_in_order_and_in_where_windows_begin() {
        let epoch =
            |epoch: u64| (0..99).map(|index| start(3, epoch * 99 + index, 1000, 10)).collect::<Vec<_>>();
        assert_eq!(windows_per_epoch(1000, 10), 99);
        assert_ne!(epoch(0), epoch(1));
        let phases: BTreeSet<usize> = (0..100).map(|number| epoch(number)[0] % 10).collect();
        assert_eq!(phases, (0..10).collect());
    }

    #[test]
    fn a_text_of_one_window_is_read_from_wherever_it_may_begin() {
        let seen: BTreeSet<usize> = (0..200).map(|number| start(0, number, 14, 10)).collect();
        assert_eq!(seen, (0..4).collect());
        assert_eq!(start(0, 5, 11, 10), 0);
    }
}
