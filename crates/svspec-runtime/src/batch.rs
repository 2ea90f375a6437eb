//! Bytes, a seed and a step in, token and target tensors out. What a step reads depends on nothing else, so that the step is the cursor.

use crate::random;
use tch::{Device, Kind, Tensor};

/// Sequences and, for each position, the token that follows.
#[derive(Debug)]
pub struct Batch {
    /// Token ids, i64.
    pub tokens_bt: Tensor,
    /// The same, one position on.
    pub targets_bt: Tensor,
}

/// Where sequence `sequence` of a run starts: uniform over all windows, the same for every model trained with this seed.
/// Sequence `i` of step `s` is number `s · batch + i`.
pub fn training_start(seed: u64, sequence: u64, num_bytes: usize, context: usize) -> usize {
    let num_starts = num_bytes.saturating_sub(context).max(1) as u64;
    random::below(random::at(random::named(seed, "batches"), sequence), num_starts) as usize
}

/// Where the validation windows start: the same ones every time, spread evenly, not overlapping, at most `max_tokens` in all.
pub fn validation_starts(num_bytes: usize, context: usize, max_tokens: usize) -> Vec<usize> {
    let room = num_bytes.saturating_sub(1);
    let count = (max_tokens / context).min(room / context).max(1);
    (0..count).map(|index| (room - context) * index / count.saturating_sub(1).max(1)).collect()
}

/// The windows of `context` tokens at `starts`.
pub fn batch(bytes: &[u8], starts: &[usize], context: usize, device: Device) -> Batch {
    let mut windows = Vec::with_capacity(starts.len() * (context + 1));
    for &start in starts {
        windows.extend_from_slice(bytes.get(start..=start + context).unwrap_or_default());
    }
    let shape = [starts.len() as i64, context as i64 + 1];
    let windows_bt =
        Tensor::from_data_size(&windows, &shape, Kind::Uint8).to_device(device).to_kind(Kind::Int64);
    Batch {
        tokens_bt: windows_bt.narrow(1, 0, context as i64).contiguous(),
        targets_bt: windows_bt.narrow(1, 1, context as i64).contiguous(),
    }
}
