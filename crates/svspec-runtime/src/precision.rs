//! A precision and a computation in, the computation's result in that precision out.

use crate::ffi::{self, TorchError};
use crate::spec::Precision;
use tch::Device;

/// Runs the forward pass `body`. In bf16, matrix products and attention take bf16; weights, losses and what needs range stay f32.
pub fn run<T>(precision: Precision, device: Device, body: impl FnOnce() -> T) -> Result<T, TorchError> {
    match precision {
        Precision::F32 => Ok(body()),
        Precision::Bf16 => ffi::autocast_bf16(device, body),
    }
}
