//! `cpp/stochastic.cpp`: f32 to bf16 by stochastic rounding.

use super::{TensorPtr, TorchError, checked};
use std::ffi::c_int;
use tch::Tensor;

unsafe extern "C" {
    fn svspec_round_stochastically(to: TensorPtr, from: TensorPtr, seed: u64, portable: c_int) -> c_int;
}

/// How it is computed; the result is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By a kernel of the runtime's own where the device has one.
    Fastest,
    /// By LibTorch's operators, as on devices that have none.
    Operators,
}

/// Writes `from`, f32, to `to`, bf16 of the same shape, both contiguous: each entry to one of its two neighbours, with the
/// probabilities that make it right on average. The randomness is a function of `seed` and an entry's place.
pub fn round_stochastically(to: &Tensor, from: &Tensor, seed: u64, way: Way) -> Result<(), TorchError> {
    let portable = c_int::from(way == Way::Operators);
    // SAFETY: two live tensors, whose kinds and shapes are checked.
    checked(unsafe { svspec_round_stochastically(to.as_ptr(), from.as_ptr(), seed, portable) })
}
