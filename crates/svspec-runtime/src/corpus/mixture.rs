//! Shares in, the source of each sequence out: of 4096 sequences in a row each source has its share exactly, in a random order.

use crate::corpus::order;
use crate::random;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Sequences in a block.
const BLOCK: u64 = 4096;

/// How many sequences of a block are of each source.
#[derive(Debug)]
pub struct Mixture {
    slots: Vec<u64>,
    /// The block last asked for: most sequences are of the same one as those before them.
    held: Mutex<Option<Block>>,
}

#[derive(Debug)]
struct Block {
    seed: u64,
    number: u64,
    places: Vec<Place>,
}

/// Which sequence of which source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The source's index.
    pub source: usize,
    /// Its sequence, counted by itself.
    pub number: u64,
}

impl Mixture {
    /// By shares that add up to 1, rounded to whole slots by largest remainders; none if one is less than a slot.
    pub fn new(shares: &[f64]) -> Option<Self> {
        let ideal: Vec<f64> = shares.iter().map(|share| share * BLOCK as f64).collect();
        if ideal.iter().any(|slots| slots.is_nan() || *slots < 1.0) {
            return None;
        }
        let mut slots: Vec<u64> = ideal.iter().map(|slots| slots.floor() as u64).collect();
        let mut by_remainder: Vec<usize> = (0..shares.len()).collect();
        let remainder = |index: &usize| ideal.get(*index).map_or(0.0, |ideal| ideal.fract());
        by_remainder.sort_by(|a, b| remainder(b).total_cmp(&remainder(a)));
        let missing = BLOCK.saturating_sub(slots.iter().sum());
        for index in by_remainder.into_iter().take(missing as usize) {
            if let Some(slots) = slots.get_mut(index) {
                *slots += 1;
            }
        }
        Some(Self { slots, held: Mutex::new(None) })
    }

    /// Where each sequence of the run in `sequences` comes from.
    pub fn places(&self, seed: u64, sequences: Range<u64>) -> Vec<Place> {
        if self.slots.len() == 1 {
            return sequences.map(|number| Place { source: 0, number }).collect();
        }
        let seed = random::named(seed, "mixture");
        let mut places = Vec::new();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for block in sequences.start / BLOCK..sequences.end.div_ceil(BLOCK) {
            let first = block * BLOCK;
            let wanted = sequences.start.max(first) - first..sequences.end.min(first + BLOCK) - first;
            let found = match held.take() {
                Some(found) if (found.seed, found.number) == (seed, block) => found,
                Some(_) | None => Block { seed, number: block, places: self.block(seed, block) },
            };
            let wanted = wanted.start as usize..wanted.end as usize;
            places.extend_from_slice(found.places.get(wanted).unwrap_or_default());
            *held = Some(found);
        }
        places
    }

    /// The places of a whole block.
    fn block(&self, seed: u64, block: u64) -> Vec<Place> {
        let seed = random::at(seed, block);
        let mut numbers: Vec<u64> = self.slots.iter().map(|slots| slots * block).collect();
        let sources = (0..BLOCK).map(|index| self.source_of(order::permuted(seed, index, BLOCK)));
        sources
            .map(|source| {
                let next = numbers.get_mut(source).map_or(0, |next| {
                    *next += 1;
                    *next - 1
                });
                Place { source, number: next }
            })
            .collect()
    }

    fn source_of(&self, slot: u64) -> usize {
        let mut end = 0;
        let found = self.slots.iter().position(|slots| {
            end += slots;
            slot < end
        });
        found.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_has_its_share_of_every_block_and_is_read_in_its_own_order() {
        let mixture = Mixture::new(&[0.7, 0.2, 0.1]).unwrap();
        let places = mixture.places(5, 0..3 * BLOCK);
        for (source, share) in [0.7, 0.2, 0.1].into_iter().enumerate() {
            let numbers: Vec<u64> =
                places.iter().filter(|place| place.source == source).map(|place| place.number).collect();
            assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
            assert!((numbers.len() as f64 / places.len() as f64 - share).abs() < 1.0 / BLOCK as f64);
        }
        // Not one source after another: the first sixty-four hold all three.
        let early = |source| places.iter().take(64).filter(|place| place.source == source).count();
        assert!(early(0) > 30 && early(1) > 2 && early(2) > 0, "{} {} {}", early(0), early(1), early(2));
    }

    #[test]
    fn a_part_of_the_sequences_is_the_same_part_of_the_whole() {
        let mixture = Mixture::new(&[0.5, 0.5]).unwrap();
        let whole = mixture.places(1, 0..10_000);
        for part in [0..1, 4095..4097, 4096..8192, 8191..9000, 7..7] {
            let expected = &whole[part.start as usize..part.end as usize];
            assert_eq!(mixture.places(1, part.clone()), expected, "{part:?}");
        }
        assert_ne!(mixture.places(2, 0..64), whole[..64]);
    }

    #[test]
    fn a_share_too_small_for_a_slot_is_refused() {
        assert!(Mixture::new(&[0.999_999, 0.000_001]).is_none());
        assert!(Mixture::new(&[f64::NAN, 0.5]).is_none());
        assert!(Mixture::new(&[4095.0 / 4096.0, 1.0 / 4096.0]).is_some());
    }
}
