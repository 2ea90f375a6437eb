//! A wish in, a device out; and what the run took of it.

use crate::ffi::{self, TorchError};
use std::fs;
use tch::Device;

/// What `--device` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// CUDA where there is one.
    Auto,
    /// The CPU.
    Cpu,
    /// CUDA or nothing.
    Cuda,
}

/// CUDA was asked for and is not there.
#[derive(Debug, thiserror::Error)]
#[error("there is no CUDA device for --device cuda: {0}; use --device cpu, or --device auto")]
pub struct NoCuda(String);

/// The device for a run, of several on a machine that of process `local_rank`. Must come before anything else touches LibTorch.
pub fn choose(choice: Choice, local_rank: usize) -> Result<Device, NoCuda> {
    let cuda = || {
        ffi::load_cuda()?;
        let num_devices = usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
        match num_devices {
            0 => Err("LibTorch's CUDA half is here, but no GPU it can use".to_owned()),
            _ if local_rank < num_devices => Ok(Device::Cuda(local_rank)),
            _ => Err(format!(
                "process {local_rank} of this machine needs its own, and there are {num_devices}"
            )),
        }
    };
    match choice {
        Choice::Cpu => Ok(Device::Cpu),
        Choice::Auto => Ok(cuda().unwrap_or(Device::Cpu)),
        Choice::Cuda => cuda().map_err(NoCuda),
    }
}

/// Settings of LibTorch for `device`, before anything is computed there: a GPU's kernels give the same bits every time; on the CPU the
/// memory that a step gives back is kept for the next one, as a GPU's always is, and products in bf16 are made in f32 where the
/// processor has none of its own.
pub fn prepare(device: Device) -> Result<(), TorchError> {
    if device.is_cuda() {
        return ffi::set_deterministic();
    }
    ffi::keep_cpu_memory();
    if has_bf16_products() { Ok(()) } else { ffi::widen_bf16_products(true) }
}

/// Whether the processor has instructions for products in bf16.
#[cfg(target_arch = "x86_64")]
fn has_bf16_products() -> bool {
    std::arch::is_x86_feature_detected!("avx512bf16")
}

#[cfg(target_arch = "aarch64")]
fn has_bf16_products() -> bool {
    std::arch::is_aarch64_feature_detected!("bf16")
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn has_bf16_products() -> bool {
    false
}

/// Has the memory of tensors on `device` counted from here on; a GPU's always is.
pub fn count_memory(device: Device) -> Result<(), TorchError> {
    if device.is_cuda() { Ok(()) } else { ffi::count_cpu_memory() }
}

/// The most memory that tensors have taken at once on `device`, in bytes, since it was counted: what `svc show cost` predicts.
/// What libraries take for themselves is not among it.
pub fn peak_tensor_memory(device: Device) -> Option<u64> {
    if device.is_cuda() { ffi::peak_bytes(device).ok() } else { Some(ffi::cpu_peak_bytes()) }
}

/// As summaries write it.
pub fn name(device: Device) -> &'static str {
    match device {
        Device::Cpu => "cpu",
        Device::Cuda(_) => "cuda",
        Device::Mps => "mps",
        Device::Vulkan => "vulkan",
    }
}

/// The most memory the run has held, in bytes: of the GPU's for tensors, or of the process on the CPU. `None` where the system does
/// not tell.
pub fn peak_memory(device: Device) -> Option<u64> {
    if device.is_cuda() {
        return ffi::peak_bytes(device).ok();
    }
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
