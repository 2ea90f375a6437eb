//! Tensors in, tensors out: the operations that generated models are written in.
//!
//! Each works in f64 and f32, and in bf16 under autocast, where what needs range or precision stays in f32.
//! Shape suffixes: `b` sequences, `t` tokens, `h` heads, `g` key-value heads, `k` channels of a head, `d` channels, `v` vocabulary.

mod activation;
mod attention;
mod balance;
mod chunks;
mod delay;
mod documents;
mod linear;
mod loss;
mod moe;
mod normalize;
mod position_gain;
mod rope;
mod scale;
mod sinusoids;
mod stacked;
mod weight;

pub use activation::{
    clamp, elu, exp, gelu, gelu_quick, gelu_tanh, relu, relu2, sigmoid, silu, soft_cap, tanh,
};
pub use attention::{
    alibi, attention, attention_in_documents, attention_with_bias, attention_with_sinks, from_chunks,
    in_chunks,
};
pub use balance::{Over, balance_loss, z_loss};
pub use chunks::mean_by_chunks;
pub use delay::delay;
pub use documents::Documents;
pub use linear::{embedding, linear, positions, split};
pub use loss::cross_entropy;
pub use moe::{Choice, Groups, Scores, within_groups};
pub use normalize::{add_rms_norm, add_rms_norm_for_products, layer_norm, rms_norm, rms_norm_for_products};
pub use position_gain::position_gain;
pub use rope::{RampEnds, Rope, RopeScaling, rope, rope_interleaved, rope_table, scaled_rope_table};
pub use scale::{exp_magnitude_direction, magnitude_direction, one_plus, softplus};
pub use sinusoids::{sinusoids, sinusoids_interleaved};
pub use stacked::{Keeps, Stacked};
pub use weight::{Weight, weights};

use crate::ffi::TorchError;

/// What LibTorch gave: the functions of a model have no way to refuse, and a generated model asks for nothing that LibTorch does.
fn or_panic<T>(result: Result<T, TorchError>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}
