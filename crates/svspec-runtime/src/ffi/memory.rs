//! `cpp/cpu_memory.cpp`: what tensors take of the CPU's memory.

use super::{TorchError, checked};
use std::ffi::c_int;

unsafe extern "C" {
    fn svspec_keep_cpu_memory();
    fn svspec_count_cpu_memory() -> c_int;
    fn svspec_cpu_peak_bytes() -> i64;
}

/// From here on what is given back of the CPU's memory stays in the process, for what is taken next.
pub fn keep_cpu_memory() {
    // SAFETY: no arguments; the settings are the allocator's own.
    unsafe { svspec_keep_cpu_memory() }
}

/// From here on the CPU's tensors are counted, until the process ends.
pub fn count_cpu_memory() -> Result<(), TorchError> {
    // SAFETY: no arguments; LibTorch keeps the allocator that is put in place, which lives as long as the process.
    checked(unsafe { svspec_count_cpu_memory() })
}

/// The most bytes that the counted tensors have held at once.
pub fn cpu_peak_bytes() -> u64 {
    // SAFETY: no arguments.
    u64::try_from(unsafe { svspec_cpu_peak_bytes() }).unwrap_or(0)
}
