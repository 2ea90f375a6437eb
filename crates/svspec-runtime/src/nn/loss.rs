//! Logits and targets in, the mean loss out.

use tch::{Kind, Reduction, Tensor};

/// The mean over all tokens of `logsumexp(logits) − logits[target]`, in nats; a scalar. Computed in f32 unless the logits are f64.
pub fn cross_entropy(logits_btv: &Tensor, targets_bt: &Tensor) -> Tensor {
    let vocab = logits_btv.size().last().copied().unwrap_or(1);
    let logits_nv = logits_btv.reshape([-1, vocab]);
    let logits_nv = if logits_nv.kind() == Kind::Double { logits_nv } else { logits_nv.to_kind(Kind::Float) };
    logits_nv.cross_entropy_loss(&targets_bt.reshape([-1]), None::<&Tensor>, Reduction::Mean, -100, 0.0)
}
