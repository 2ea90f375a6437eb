//! Windows of tokens in, token and target tensors out.

use tch::{Device, Tensor};

/// Sequences and, for each position, the token that follows.
#[derive(Debug)]
pub struct Batch {
    /// Token ids, i64.
    pub tokens_bt: Tensor,
    /// The same, one position on.
    pub targets_bt: Tensor,
}

/// Where the validation windows start: the same ones every time, spread evenly, not overlapping, at most `max_tokens` in all.
pub fn validation_starts(num_tokens: usize, context: usize, max_tokens: usize) -> Vec<usize> {
    let room = num_tokens.saturating_sub(1);
    let count = (max_tokens / context).min(room / context).max(1);
    (0..count).map(|index| (room - context) * index / count.saturating_sub(1).max(1)).collect()
}

/// The windows in `tokens`, each of `context` tokens and one more, one after another.
pub fn batch(tokens: &[i64], context: usize, device: Device) -> Batch {
    let count = tokens.len() / (context + 1);
    let windows_bt = Tensor::from_slice(tokens).view([count as i64, context as i64 + 1]).to_device(device);
    Batch {
        tokens_bt: windows_bt.narrow(1, 0, context as i64).contiguous(),
        targets_bt: windows_bt.narrow(1, 1, context as i64).contiguous(),
    }
}
