//! Rotary position embedding (arXiv 2104.09864): pairs of channels turn with the position, in either layout.

mod scaling;

pub use scaling::{RampEnds, RopeScaling};

use tch::{Device, Kind, Tensor};

/// Cosines and sines of every position's angles, `[t, 1, rotary_dim / 2]` each: they broadcast over heads.
#[derive(Debug)]
pub struct Rope {
    cos_t1k: Tensor,
    sin_t1k: Tensor,
}

/// The table of positions `0..num_positions`: angle `i` of position `t` is `t · theta^(−2i / rotary_dim)`.
/// Angles are computed in f64 and kept in `kind`, f32 at least.
pub fn rope_table(num_positions: i64, rotary_dim: i64, theta: f64, kind: Kind, device: Device) -> Rope {
    table(num_positions, &frequencies(rotary_dim, theta, device), 1.0, kind)
}

/// The same with scaled frequencies, and cosines and sines multiplied as the scaling says.
pub fn scaled_rope_table(
    num_positions: i64,
    rotary_dim: i64,
    theta: f64,
    scaling: &RopeScaling,
    kind: Kind,
    device: Device,
) -> Rope {
    let frequency_k = scaling.apply(&frequencies(rotary_dim, theta, device), theta);
    table(num_positions, &frequency_k, scaling.magnitude(), kind)
}

fn frequencies(rotary_dim: i64, theta: f64, device: Device) -> Tensor {
    let pair = Tensor::arange(rotary_dim / 2, (Kind::Double, device));
    (pair * (-2.0 * theta.ln() / rotary_dim as f64)).exp()
}

fn table(num_positions: i64, frequency_k: &Tensor, magnitude: f64, kind: Kind) -> Rope {
    let position_t1 = Tensor::arange(num_positions, (Kind::Double, frequency_k.device())).unsqueeze(1);
    let angle_t1k = (position_t1 * frequency_k).unsqueeze(1);
    // In bf16 neighbouring positions would share their angles.
    let kind = if kind == Kind::BFloat16 { Kind::Float } else { kind };
    let finished = |x: Tensor| (x * magnitude).to_kind(kind);
    Rope { cos_t1k: finished(angle_t1k.cos()), sin_t1k: finished(angle_t1k.sin()) }
}

/// Rotates the first `rotary_dim` channels of every head of `x_bthk`, channel `i` with channel `i + rotary_dim / 2`;
/// the rest pass. The result has the kind of `x_bthk`.
pub fn rope(x_bthk: &Tensor, table: &Rope) -> Tensor {
    let half = table.num_pairs();
    let [rotating, passed] = split(x_bthk, 2 * half);
    let [first, second] = split(&rotating, half);
    let [turned_first, turned_second] = table.turn(&first, &second);
    let turned = Tensor::cat(&[turned_first, turned_second], -1).to_kind(x_bthk.kind());
    joined(turned, &passed)
}

/// The same with channel `2i` and channel `2i + 1` as a pair.
pub fn rope_interleaved(x_bthk: &Tensor, table: &Rope) -> Tensor {
    let [rotating, passed] = split(x_bthk, 2 * table.num_pairs());
    let pairs = rotating.unflatten(-1, [-1, 2]);
    let [turned_first, turned_second] = table.turn(&pairs.select(-1, 0), &pairs.select(-1, 1));
    let turned = Tensor::stack(&[turned_first, turned_second], -1).flatten(-2, -1).to_kind(x_bthk.kind());
    joined(turned, &passed)
}

impl Rope {
    /// The same table, sharing storage.
    #[must_use]
    pub fn shallow_clone(&self) -> Self {
        Self { cos_t1k: self.cos_t1k.shallow_clone(), sin_t1k: self.sin_t1k.shallow_clone() }
    }

    fn num_pairs(&self) -> i64 {
        self.cos_t1k.size().last().copied().unwrap_or(0)
    }

    /// The two sides of each pair after the turn.
    fn turn(&self, first: &Tensor, second: &Tensor) -> [Tensor; 2] {
        let (cos, sin) = (&self.cos_t1k, &self.sin_t1k);
        [first * cos - second * sin, second * cos + first * sin]
    }
}

/// The first `size` channels, and the rest.
fn split(x: &Tensor, size: i64) -> [Tensor; 2] {
    let rest = x.size().last().copied().unwrap_or(0) - size;
    [x.narrow(-1, 0, size), x.narrow(-1, size, rest)]
}

/// `turned` and what passed beside it, if anything did.
fn joined(turned: Tensor, passed: &Tensor) -> Tensor {
    if passed.size().last() == Some(&0) { turned } else { Tensor::cat(&[&turned, passed], -1) }
}
