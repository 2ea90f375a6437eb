//! A precision and a computation in, the computation's result in that precision out; and the kind of weights in a precision.

use crate::ffi::{self, TorchError};
use crate::spec::Precision;
use tch::{Device, Kind};

/// Runs the forward pass `body`. In bf16, matrix products and attention take bf16; losses and what needs range stay f32.
pub fn run<T>(precision: Precision, device: Device, body: impl FnOnce() -> T) -> Result<T, TorchError> {
    match precision {
        Precision::F32 => Ok(body()),
        Precision::Bf16 | Precision::Bf16Stochastic => ffi::autocast_bf16(device, body),
    }
}

/// The kind of weights, and of what the optimizer remembers of them.
pub fn kind(precision: Precision) -> Kind {
    match precision {
        Precision::F32 | Precision::Bf16 => Kind::Float,
        Precision::Bf16Stochastic => Kind::BFloat16,
    }
}
