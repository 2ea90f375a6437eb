//! Sines and cosines of positions (arXiv 1706.03762), in either layout of a pair.

use tch::{Kind, Tensor};

/// `[b, t, width]`, the same in every sequence of `tokens_bt`: the sines of all pairs' angles, then their cosines. Angle `i` of
/// position `t` is `(t + offset) · theta^(−2i / width)`. Computed in f64 and kept in `kind`.
pub fn sinusoids(tokens_bt: &Tensor, width: i64, theta: f64, offset: i64, kind: Kind) -> Tensor {
    let [sin_tk, cos_tk] = pairs(tokens_bt, width, theta, offset);
    in_every_sequence(&Tensor::cat(&[sin_tk, cos_tk], -1), tokens_bt, kind)
}

/// The same with the sine and the cosine of each pair side by side.
pub fn sinusoids_interleaved(tokens_bt: &Tensor, width: i64, theta: f64, offset: i64, kind: Kind) -> Tensor {
    let sin_and_cos = pairs(tokens_bt, width, theta, offset);
    in_every_sequence(&Tensor::stack(&sin_and_cos, -1).flatten(-2, -1), tokens_bt, kind)
}

fn pairs(tokens_bt: &Tensor, width: i64, theta: f64, offset: i64) -> [Tensor; 2] {
    let (_, num_tokens) = tokens_bt.size2().unwrap_or((0, 0));
    let doubles = (Kind::Double, tokens_bt.device());
    let frequency_k = (Tensor::arange(width / 2, doubles) * (-2.0 * theta.ln() / width as f64)).exp();
    let position_t1 = (Tensor::arange(num_tokens, doubles) + offset as f64).unsqueeze(1);
    let angle_tk = position_t1 * frequency_k;
    [angle_tk.sin(), angle_tk.cos()]
}

fn in_every_sequence(x_td: &Tensor, tokens_bt: &Tensor, kind: Kind) -> Tensor {
    let (num_sequences, _) = tokens_bt.size2().unwrap_or((0, 0));
    x_td.to_kind(kind).unsqueeze(0).expand([num_sequences, -1, -1], false)
}
