//! Queries, keys and values in, causal softmax attention out.

use super::{Documents, soft_cap};
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
    let [q_bhtk, k_bgtk, v_bgtk] = heads_first(q_bthk, k_btgk, v_btgk);
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
            written_out(&q_bhtk, &k_bgtk, &v_bgtk, &visible_tt, |scores| bounded(scores, scale, Some(cap)))
        }
    };
    out_bhtk.transpose(1, 2)
}

/// The same with a logit of each head's own, `sinks_h`, beside the scores of every query: it takes its share of the softmax
/// and adds no value.
pub fn attention_with_sinks(
    q_bthk: &Tensor,
    k_btgk: &Tensor,
    v_btgk: &Tensor,
    sinks_h: &Tensor,
    scale: f64,
    window: Option<i64>,
    cap: Option<f64>,
) -> Tensor {
    let [q_bhtk, k_bgtk, v_bgtk] = heads_first(q_bthk, k_btgk, v_btgk);
    let num_tokens = q_bthk.size().get(1).copied().unwrap_or(0);
    let visible_tt = visible(num_tokens, window.unwrap_or(num_tokens), &q_bhtk);
    let out_bhtk =
        with_sink(&q_bhtk, &k_bgtk, &v_bgtk, &visible_tt, sinks_h, |scores| bounded(scores, scale, cap));
    out_bhtk.transpose(1, 2)
}

/// The same with `bias_htt` added to the scores after the cap, and with sinks or without.
#[expect(clippy::too_many_arguments, reason = "each is one line of the model that calls it")]
pub fn attention_with_bias(
    q_bthk: &Tensor,
    k_btgk: &Tensor,
    v_btgk: &Tensor,
    bias_htt: &Tensor,
    sinks_h: Option<&Tensor>,
    scale: f64,
    window: Option<i64>,
    cap: Option<f64>,
) -> Tensor {
    let [q_bhtk, k_bgtk, v_bgtk] = heads_first(q_bthk, k_btgk, v_btgk);
    let num_tokens = q_bthk.size().get(1).copied().unwrap_or(0);
    let visible_tt = visible(num_tokens, window.unwrap_or(num_tokens), &q_bhtk);
    let change = |scores: &Tensor| bounded(scores, scale, cap) + bias_htt;
    let out_bhtk = match (sinks_h, cap) {
        (Some(sinks_h), _) => with_sink(&q_bhtk, &k_bgtk, &v_bgtk, &visible_tt, sinks_h, change),
        (None, Some(_)) => written_out(&q_bhtk, &k_bgtk, &v_bgtk, &visible_tt, change),
        (None, None) => {
            let mask_bhtt = hidden(bias_htt, &visible_tt).to_kind(q_bhtk.kind()).unsqueeze(0);
            fused(&q_bhtk, &k_bgtk, &v_bgtk, Some(&mask_bhtt), scale)
        }
    };
    out_bhtk.transpose(1, 2)
}

/// The same within documents: a query sees no key of another one, and none before the last multiple of `chunk` positions, counted
/// in its document, up to its own; with a bias and with sinks, or without.
#[expect(clippy::too_many_arguments, reason = "each is one line of the model that calls it")]
pub fn attention_in_documents(
    q_bthk: &Tensor,
    k_btgk: &Tensor,
    v_btgk: &Tensor,
    documents: &Documents,
    bias_htt: Option<&Tensor>,
    sinks_h: Option<&Tensor>,
    scale: f64,
    window: Option<i64>,
    chunk: Option<i64>,
    cap: Option<f64>,
) -> Tensor {
    let [q_bhtk, k_bgtk, v_bgtk] = heads_first(q_bthk, k_btgk, v_btgk);
    let change = |scores: &Tensor| {
        let scores_bhtt = bounded(scores, scale, cap);
        bias_htt.map_or_else(|| scores_bhtt.shallow_clone(), |bias_htt| &scores_bhtt + bias_htt)
    };
    let visible = || documents.visible(window, chunk);
    let out_bhtk = match (sinks_h, cap, bias_htt) {
        (Some(sinks_h), _, _) => with_sink(&q_bhtk, &k_bgtk, &v_bgtk, &visible(), sinks_h, change),
        (None, Some(_), _) => written_out(&q_bhtk, &k_bgtk, &v_bgtk, &visible(), change),
        (None, None, Some(bias_htt)) => {
            let mask_bhtt = hidden(bias_htt, &visible()).to_kind(q_bhtk.kind());
            fused(&q_bhtk, &k_bgtk, &v_bgtk, Some(&mask_bhtt), scale)
        }
        (None, None, None) => {
            let mask_b1tt = documents.added(window, chunk, q_bhtk.kind());
            fused(&q_bhtk, &k_bgtk, &v_bgtk, Some(&mask_b1tt), scale)
        }
    };
    out_bhtk.transpose(1, 2)
}

/// q, k and v in chunks of so many positions, each a sequence of its own, so that none sees another. The last one may be
/// shorter; it is filled up with zeros, which no position before them sees.
pub fn in_chunks(q_k_v: [&Tensor; 3], chunk: i64) -> [Tensor; 3] {
    q_k_v.map(|x_bthk| {
        let num_tokens = x_bthk.size().get(1).copied().unwrap_or(0);
        if chunk >= num_tokens {
            return x_bthk.shallow_clone();
        }
        let missing = (chunk - num_tokens % chunk) % chunk;
        let filled = if missing > 0 {
            x_bthk.constant_pad_nd([0, 0, 0, 0, 0, missing])
        } else {
            x_bthk.shallow_clone()
        };
        filled.unflatten(1, [-1, chunk]).flatten(0, 1)
    })
}

/// What came of the chunks, as sequences of the length of `whole_bthk`.
pub fn from_chunks(context_bthk: &Tensor, whole_bthk: &Tensor) -> Tensor {
    let (num_sequences, num_tokens, _, _) = whole_bthk.size4().unwrap_or((0, 0, 0, 0));
    context_bthk.unflatten(0, [num_sequences, -1]).flatten(1, 2).narrow(1, 0, num_tokens)
}

/// ALiBi's bias (arXiv 2108.12409), `[h, t, t]`: minus a slope of the head's own for each position between query and key.
/// Of n = 2^m heads the slopes are `2^(−bound · h / n)`, h from 1 on; of others, those of the next smaller power of two, then
/// every other one of twice as many.
pub fn alibi(num_heads: i64, bound: f64, like_bthk: &Tensor) -> Tensor {
    let num_tokens = like_bthk.size().get(1).copied().unwrap_or(0);
    let power = num_heads.checked_ilog2().map_or(1, |exponent| 1_i64 << exponent);
    let doubles = (Kind::Double, like_bthk.device());
    let of_power = Tensor::arange(power, doubles) + 1.0;
    let of_double = (Tensor::arange(num_heads - power, doubles) * 2.0 + 1.0) * 0.5;
    let share_h = Tensor::cat(&[of_power, of_double], 0) / power as f64;
    let slope_h11 = (share_h * (-bound)).exp2().view([-1, 1, 1]);
    let position_t = Tensor::arange(num_tokens, doubles);
    let distance_tt = position_t.unsqueeze(0) - position_t.unsqueeze(1);
    (slope_h11 * distance_tt).to_kind(like_bthk.kind())
}

/// Scores times `scale`, and bounded by `cap`.
fn bounded(scores_bhtt: &Tensor, scale: f64, cap: Option<f64>) -> Tensor {
    let scores_bhtt = scores_bhtt * scale;
    match cap {
        None => scores_bhtt,
        Some(cap) => soft_cap(&scores_bhtt, cap),
    }
}

/// `[b, h, t, k]`, all of one kind: under autocast, what has passed a scale vector is f32 and what has not is bf16.
fn heads_first(q_bthk: &Tensor, k_btgk: &Tensor, v_btgk: &Tensor) -> [Tensor; 3] {
    let kind = v_btgk.kind();
    [q_bthk, k_btgk, v_btgk].map(|x| x.to_kind(kind).transpose(1, 2))
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

/// The same written out, for scores that are changed before the softmax.
fn written_out(
    q_bhtk: &Tensor,
    k_bgtk: &Tensor,
    v_bgtk: &Tensor,
    visible_tt: &Tensor,
    change: impl Fn(&Tensor) -> Tensor,
) -> Tensor {
    let [k_bhtk, v_bhtk] = repeated(q_bhtk, [k_bgtk, v_bgtk]);
    let scores_bhtt = hidden(&change(&q_bhtk.matmul(&k_bhtk.transpose(-2, -1))), visible_tt);
    scores_bhtt.softmax(-1, None::<Kind>).to_kind(v_bhtk.kind()).matmul(&v_bhtk)
}

/// The same with a column of `sinks_h` beside the changed scores.
fn with_sink(
    q_bhtk: &Tensor,
    k_bgtk: &Tensor,
    v_bgtk: &Tensor,
    visible_tt: &Tensor,
    sinks_h: &Tensor,
    change: impl Fn(&Tensor) -> Tensor,
) -> Tensor {
    let [k_bhtk, v_bhtk] = repeated(q_bhtk, [k_bgtk, v_bgtk]);
    let scores_bhtt = hidden(&change(&q_bhtk.matmul(&k_bhtk.transpose(-2, -1))), visible_tt);
    let (num_sequences, num_heads, num_tokens, _) = scores_bhtt.size4().unwrap_or((0, 0, 0, 0));
    let sinks_bht1 = sinks_h.view([1, -1, 1, 1]).expand([num_sequences, num_heads, num_tokens, 1], false);
    let kind = scores_bhtt.kind();
    let weights_bhts = Tensor::cat(&[scores_bhtt, sinks_bht1.to_kind(kind)], -1).softmax(-1, None::<Kind>);
    weights_bhts.narrow(-1, 0, num_tokens).to_kind(v_bhtk.kind()).matmul(&v_bhtk)
}

/// Keys and values, each head as often as query heads read it.
fn repeated(q_bhtk: &Tensor, of_groups: [&Tensor; 2]) -> [Tensor; 2] {
    let num_heads = |x: &Tensor| x.size().get(1).copied().unwrap_or(1);
    of_groups.map(|x_bgtk| {
        let repeats = num_heads(q_bhtk) / num_heads(x_bgtk);
        if repeats == 1 {
            x_bgtk.shallow_clone()
        } else {
            x_bgtk.repeat_interleave_self_int(repeats, 1, None)
        }
    })
}

/// Scores that no query may see become −∞.
fn hidden(scores_bhtt: &Tensor, visible_tt: &Tensor) -> Tensor {
    scores_bhtt.masked_fill(&visible_tt.logical_not(), f64::NEG_INFINITY)
}

/// True where query `i` (row) sees key `j` (column): `i − width < j ≤ i`.
fn visible(num_tokens: i64, width: i64, like: &Tensor) -> Tensor {
    Tensor::ones([num_tokens, num_tokens], (Kind::Bool, like.device())).tril(0).triu(1 - width)
}
