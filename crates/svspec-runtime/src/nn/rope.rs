//! Rotary position embedding (arXiv 2104.09864) in the half-split layout: channel `i` turns with channel `i + rotary_dim / 2`.

use tch::{Device, Kind, Tensor};

/// Cosines and sines of every position's angles, `[t, 1, rotary_dim / 2]` each: they broadcast over heads.
#[derive(Debug)]
pub struct Rope {
    cos_t1k: Tensor,
    sin_t1k: Tensor,
}

/// The table of positions `0..num_positions`: angle `i` of position `t` is `t · theta^(−2i / rotary_dim)`.
/// Angles are computed in f64 and kept in `kind`.
pub fn rope_table(num_positions: i64, rotary_dim: i64, theta: f64, kind: Kind, device: Device) -> Rope {
    let exact = (Kind::Double, device);
    let pair = Tensor::arange(rotary_dim / 2, exact);
    let frequency = (pair * (-2.0 * theta.ln() / rotary_dim as f64)).exp();
    let angle_t1k = (Tensor::arange(num_positions, exact).unsqueeze(1) * frequency).unsqueeze(1);
    Rope { cos_t1k: angle_t1k.cos().to_kind(kind), sin_t1k: angle_t1k.sin().to_kind(kind) }
}

/// Rotates the first `rotary_dim` channels of every head of `x_bthk`; the rest pass. The result has the kind of `x_bthk`.
pub fn rope(x_bthk: &Tensor, table: &Rope) -> Tensor {
    let half = table.cos_t1k.size().last().copied().unwrap_or(0);
    let rest = x_bthk.size().last().copied().unwrap_or(0) - 2 * half;
    let parts = x_bthk.split_with_sizes([half, half, rest], -1);
    let [first, second, passed] = parts.as_slice() else { unreachable!("split into three") };
    let (cos, sin) = (&table.cos_t1k, &table.sin_t1k);
    let turned_first = first * cos - second * sin;
    let turned_second = second * cos + first * sin;
    let turned = Tensor::cat(&[&turned_first, &turned_second], -1).to_kind(x_bthk.kind());
    if rest == 0 { turned } else { Tensor::cat(&[&turned, passed], -1) }
}
