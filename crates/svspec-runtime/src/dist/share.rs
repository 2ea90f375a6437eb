//! A batch and a process's place in, the sequences that it computes out.

use super::TeamError;
use crate::spec::Training;

/// What one process computes of every batch: a run of sequences, by their place in it, in micro-batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Its first sequence, counted in the batch.
    pub first: u64,
    /// Micro-batches.
    pub num_micro: u64,
    /// Sequences in each.
    pub micro_batch: u64,
}

impl Share {
    /// The share of process `rank` of `world`: the batch in equal runs, and each in the largest equal micro-batches that are not larger than
    /// the spec's.
    pub fn of(training: &Training, rank: usize, world: usize) -> Result<Self, TeamError> {
        let (batch, num) = (training.batch, world as u64);
        if !batch.is_multiple_of(num) {
            return Err(TeamError::Batch { batch, world });
        }
        let own = batch / num;
        let most = training.micro_batch.min(own).max(1);
        let micro_batch = (1..=most).rev().find(|size| own.is_multiple_of(*size)).unwrap_or(1);
        Ok(Self { first: rank as u64 * own, num_micro: own / micro_batch, micro_batch })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Health, Precision, Schedule};

    fn training(batch: u64, micro_batch: u64) -> Training {
        let constant = Schedule::Constant { warmup: 0 };
        Training {
            steps: 1,
            batch,
            micro_batch,
            schedule: constant,
            decay_schedule: constant,
            precision: Precision::F32,
            clip: None,
            eval_every: 1,
            checkpoint_every: 1,
            keep_last: 1,
            keep_every: None,
            health: Health::USUAL,
            seed: 0,
            lr: 0.0,
        }
    }

    #[test]
    fn shares_are_the_batch_once() {
        for (batch, micro_batch, world) in [(8, 8, 2), (12, 4, 4), (12, 3, 2), (6, 4, 1), (4, 1, 4)] {
            let shares =
                (0..world).map(|rank| Share::of(&training(batch, micro_batch), rank, world).unwrap());
            let sequences: Vec<u64> = shares
                .flat_map(|share| {
                    assert!(share.micro_batch <= micro_batch);
                    share.first..share.first + share.num_micro * share.micro_batch
                })
                .collect();
            assert_eq!(sequences, (0..batch).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_batch_that_cannot_be_divided_says_what_can() {
        let error = Share::of(&training(6, 6), 0, 4).unwrap_err().to_string();
        assert_eq!(
            error,
            "a batch of 6 sequences cannot be divided among 4 processes: start 3 or 6, or change `batch`"
        );
        let error = Share::of(&training(2, 2), 0, 4).unwrap_err().to_string();
        assert!(error.ends_with("start 2, or change `batch`"), "{error}");
    }
}
