//! Logits and targets in, the mean loss out.

use super::or_panic;
use crate::ffi;
use tch::{Kind, Tensor};

/// The mean over all tokens of `logsumexp(logits) − logits[target]`, in nats; a scalar. Computed in f32 unless the logits are f64.
///
/// Where a gradient will be asked for it is made here, in the place of the log-probabilities: the probabilities, less 1 at the
/// target. Of the logits' size nothing else is held beside them.
///
/// # Panics
/// If LibTorch refuses, or a target is not below `vocab`.
pub fn cross_entropy(logits_btv: &Tensor, targets_bt: &Tensor) -> Tensor {
    let vocab = logits_btv.size().last().copied().unwrap_or(1);
    let kind = if logits_btv.kind() == Kind::Double { Kind::Double } else { Kind::Float };
    let targets_n1 = targets_bt.reshape([-1, 1]);
    let mut log_shares_nv = tch::no_grad(|| logits_btv.reshape([-1, vocab]).log_softmax(-1, kind));
    let of_targets_n1 = log_shares_nv.gather(1, &targets_n1, false);
    let sum = -of_targets_n1.sum(kind);
    let sum = if logits_btv.requires_grad() {
        let gradient_nv = log_shares_nv.exp_().scatter_(1, &targets_n1, &of_targets_n1.expm1());
        or_panic(ffi::with_gradients(&sum, &[logits_btv.shallow_clone()], &[gradient_nv.view_as(logits_btv)]))
    } else {
        sum
    };
    sum / targets_n1.numel() as f64
}
