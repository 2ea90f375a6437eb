//! Queries, keys and values in, causal softmax attention out.

use super::soft_cap;
use tch::{Kind, Tensor};

/// `q_bthk` against `k_btgk` and `v_btgk`, `[b, t, h, k]`; query head `h` reads key-value head `h / (num_heads / num_kv_heads)`.
///
/// `scale` multiplies the scores; `cap` then bounds them by `cap · tanh(score / cap)`; a query sees `window` positions up to and
/// including its own, or all of them.
pub fn attention(
    q_bthk: &Tensor,
    k_btgk: &Tensor,
    v_btgk: &Tensor,
    scale: f64,
    window: Option<i64>,
    cap: Option<f64>,
) -> Tensor {
    // One kind for all three: under autocast, what has passed a scale vector is f32 and what has not is bf16.
    let kind = v_btgk.kind();
    let [q_bhtk, k_bgtk, v_bgtk] = [q_bthk, k_btgk, v_btgk].map(|x| x.to_kind(kind).transpose(1, 2));
    let num_tokens = q_bthk.size().get(1).copied().unwrap_or(0);
    // A window as wide as the sequence hides nothing.
    let window = window.filter(|&width| width < num_tokens);
    let out_bhtk = match (window, cap) {
        (None, None) => fused(&q_bhtk, &k_bgtk, &v_bgtk, None, scale),
        (Some(width), None) => {
            fused(&q_bhtk, &k_bgtk, &v_bgtk, Some(&visible(num_tokens, width, &q_bhtk)), scale)
        }
        (_, Some(cap)) => {
            let visible_tt = visible(num_tokens, window.unwrap_or(num_tokens), &q_bhtk);
            capped(&q_bhtk, &k_bgtk, &v_bgtk, &visible_tt, scale, cap)
        }
    };
    out_bhtk.transpose(1, 2)
}

/// LibTorch's fused kernels; without a mask, causal.
fn fused(
    q_bhtk: &Tensor,
    k_bgtk: &Tensor,
    v_bgtk: &Tensor,
    visible_tt: Option<&Tensor>,
    scale: f64,
) -> Tensor {
    let grouped = q_bhtk.size().get(1) != k_bgtk.size().get(1);
    Tensor::scaled_dot_product_attention(
        q_bhtk,
        k_bgtk,
        v_bgtk,
        visible_tt,
        0.0,
        visible_tt.is_none(),
        scale,
        grouped,
    )
}

/// The same written out, for scores that are capped before the softmax.
fn capped(
    q_bhtk: &Tensor,
    k_bgtk: &Tensor,
    v_bgtk: &Tensor,
    visible_tt: &Tensor,
    scale: f64,
    cap: f64,
) -> Tensor {
    let repeats = q_bhtk.size().get(1).copied().unwrap_or(1) / k_bgtk.size().get(1).copied().unwrap_or(1);
    let [k_bhtk, v_bhtk] = [k_bgtk, v_bgtk].map(|x| {
        if repeats == 1 { x.shallow_clone() } else { x.repeat_interleave_self_int(repeats, 1, None) }
    });
    let scores_bhtt = soft_cap(&(q_bhtk.matmul(&k_bhtk.transpose(-2, -1)) * scale), cap);
    let hidden_tt = visible_tt.logical_not();
    let weights_bhtt = scores_bhtt.masked_fill(&hidden_tt, f64::NEG_INFINITY).softmax(-1, None::<Kind>);
    weights_bhtt.to_kind(v_bhtk.kind()).matmul(&v_bhtk)
}

/// True where query `i` (row) sees key `j` (column): `i − width < j ≤ i`.
fn visible(num_tokens: i64, width: i64, like: &Tensor) -> Tensor {
    Tensor::ones([num_tokens, num_tokens], (Kind::Bool, like.device())).tril(0).triu(1 - width)
}
