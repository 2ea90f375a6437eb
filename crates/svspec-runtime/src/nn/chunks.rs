//! What enters the head in, the loss out, so many tokens at a time: logits and their gradients are never held for all tokens.

use super::or_panic;
use crate::ffi;
use tch::Tensor;

/// The mean over all tokens of what `mean` gives for the tokens it is shown, `x` of `[1, n, d]` and targets of `[1, n]` for
/// at most `chunk` of them: a function of each token's own row of `x_btd` and of the leaves `params`.
///
/// Where gradients will be asked for they are computed here, chunk by chunk, and kept until then: of `x_btd`, and of `params`,
/// which is what the backward pass of the whole would leave too. Nothing is computed twice.
///
/// # Panics
/// If LibTorch refuses, or `targets_bt` are not as many as the rows of `x_btd`.
pub fn mean_by_chunks(
    x_btd: &Tensor,
    targets_bt: &Tensor,
    chunk: i64,
    params: &[&Tensor],
    mean: impl Fn(&Tensor, &Tensor) -> Tensor,
) -> Tensor {
    let width = x_btd.size().last().copied().unwrap_or(1);
    let (x_1nd, targets_1n) = (x_btd.reshape([1, -1, width]), targets_bt.reshape([1, -1]));
    let num_tokens = targets_1n.numel() as i64;
    let chunks = (0..num_tokens).step_by(chunk.max(1) as usize).map(|first| {
        let size = chunk.min(num_tokens - first);
        (first, size, size as f64 / num_tokens as f64)
    });
    if !x_btd.requires_grad() {
        let shares = chunks.map(|(first, size, share)| {
            mean(&x_1nd.narrow(1, first, size), &targets_1n.narrow(1, first, size)) * share
        });
        return sum(shares);
    }
    let x_gradient_1nd = x_1nd.detach().empty_like();
    let mut gradients: Vec<Tensor> = Vec::new();
    let shares = chunks.map(|(first, size, share)| {
        let x = x_1nd.narrow(1, first, size).detach().set_requires_grad(true);
        let share = mean(&x, &targets_1n.narrow(1, first, size)) * share;
        let leaves: Vec<&Tensor> = std::iter::once(&x).chain(params.iter().copied()).collect();
        let found = or_panic(ffi::autocast_off(x.device(), || {
            Tensor::run_backward(&[&share], &leaves, false, false)
        }));
        let mut found = found.into_iter();
        if let Some(of_x) = found.next() {
            x_gradient_1nd.narrow(1, first, size).copy_(&of_x);
        }
        if gradients.is_empty() {
            gradients.extend(found);
        } else {
            for (sum, gradient) in gradients.iter_mut().zip(found) {
                let _ = sum.g_add_(&gradient);
            }
        }
        share.detach()
    });
    let loss = sum(shares);
    let inputs: Vec<Tensor> =
        std::iter::once(x_btd).chain(params.iter().copied()).map(Tensor::shallow_clone).collect();
    let known: Vec<Tensor> = std::iter::once(x_gradient_1nd.view_as(x_btd)).chain(gradients).collect();
    or_panic(ffi::with_gradients(&loss, &inputs, &known))
}

fn sum(mut shares: impl Iterator<Item = Tensor>) -> Tensor {
    let first = shares.next().unwrap_or_else(|| Tensor::from(0.0_f32));
    shares.fold(first, |sum, share| sum + share)
}
