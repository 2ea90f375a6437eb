//! What the routers of all layers left in, losses beside the cross-entropy out. Scalars, at least in f32.

use super::moe::{Choice, Scores, exact};
use tch::{Kind, Tensor};

/// Over which tokens loads and scores are averaged before they are multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Those of all layers together.
    AllLayers,
    /// Those of each layer; the losses of layers add up.
    EachLayer,
    /// Those of each sequence in each layer; the mean over sequences, and the sum over layers.
    EachSequence,
}

/// `experts · Σ_e f_e P_e`: `f_e` is the share of tokens that are given to expert e, without a gradient, `P_e` the mean of its
/// score, a token's scores made to sum to 1.
pub fn balance_loss(logits_bte: &[Tensor], chosen: &[Choice], scores: Scores, over: Over) -> Tensor {
    let num_experts = logits_bte.first().and_then(|logits| logits.size().last().copied()).unwrap_or(1);
    let (mut loads, mut means) = (Vec::new(), Vec::new());
    for (logits_bte, chosen) in logits_bte.iter().zip(chosen) {
        let scores_bte = scores.of(logits_bte);
        let shares_bte = match scores {
            Scores::Softmax => scores_bte,
            Scores::Sigmoid => &scores_bte / scores_bte.sum_dim_intlist(-1, true, None::<Kind>),
        };
        let given_bte = shares_bte.zeros_like().scatter_add(-1, chosen.ids(), &ones_at(chosen, &shares_bte));
        // Of each sequence, `[b, e]`.
        means.push(shares_bte.mean_dim(1, false, None::<Kind>));
        loads.push(given_bte.detach().mean_dim(1, false, None::<Kind>));
    }
    let product = |loads: &Tensor, means: &Tensor| (loads * means).sum_dim_intlist(-1, false, None::<Kind>);
    let loss = match over {
        Over::AllLayers => {
            let mean = |all: &[Tensor]| Tensor::cat(all, 0).mean_dim(0, false, None::<Kind>);
            product(&mean(&loads), &mean(&means))
        }
        Over::EachLayer => {
            let mean = |all: &[Tensor]| Tensor::stack(all, 0).mean_dim(1, false, None::<Kind>);
            product(&mean(&loads), &mean(&means)).sum(None::<Kind>)
        }
        Over::EachSequence => product(&Tensor::stack(&loads, 0), &Tensor::stack(&means, 0))
            .mean_dim(1, false, None::<Kind>)
            .sum(None::<Kind>),
    };
    loss * num_experts as f64
}

fn ones_at(chosen: &Choice, like: &Tensor) -> Tensor {
    Tensor::ones(chosen.ids().size(), (like.kind(), like.device()))
}

/// The mean over tokens of `(log Σ_e exp logit_e)²`, summed over layers.
pub fn z_loss(logits_bte: &[Tensor]) -> Tensor {
    let of_layer = |logits: &Tensor| exact(logits).logsumexp(-1, false).square().mean(None::<Kind>);
    Tensor::stack(&logits_bte.iter().map(of_layer).collect::<Vec<_>>(), 0).sum(None::<Kind>)
}
