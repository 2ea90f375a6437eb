//! The one place with unsafe code: `cpp/`'s functions and the C library's, behind safe ones.
#![expect(
    unsafe_code,
    reason = "C functions, and files mapped; every pointer below comes from a live tensor or a local"
)]

mod gradients;
mod group;
mod kernels;
mod memory;
mod recompute;
mod stochastic;

pub use gradients::{autocast_off, with_gradients};
pub use group::{Address, Group, Reducer, Store, Work, quiet_c10d};
pub use kernels::{add_rms_norm, gelu_tanh, rms_norm};
pub use memory::{count_cpu_memory, cpu_peak_bytes, keep_cpu_memory};
pub use recompute::recompute;
pub use stochastic::{Way, round_stochastically};

use memmap2::Mmap;
use std::ffi::{CStr, c_char, c_int};
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use tch::{Device, Tensor};
use torch_sys::C_tensor;

type TensorPtr = *const C_tensor;

unsafe extern "C" {
    fn svspec_last_error() -> *const c_char;
    fn svspec_fused_adamw(
        param: *const TensorPtr,
        grad: *const TensorPtr,
        first_moment: *const TensorPtr,
        second_moment: *const TensorPtr,
        step: *const TensorPtr,
        count: usize,
        lr: f64,
        beta1: f64,
        beta2: f64,
        weight_decay: f64,
        eps: f64,
        skip: TensorPtr,
    ) -> c_int;
    fn svspec_norms(tensor: *const TensorPtr, count: usize, norms: *mut *mut C_tensor) -> c_int;
    fn svspec_norm(tensor: TensorPtr, norm: *mut *mut C_tensor) -> c_int;
    fn svspec_scale_to_norm(grad: *const TensorPtr, count: usize, norm: TensorPtr, max_norm: f64) -> c_int;
    fn svspec_multiply(tensor: *const TensorPtr, count: usize, factor: f64, skip: TensorPtr) -> c_int;
    fn svspec_add(
        tensor: *const TensorPtr,
        other: *const TensorPtr,
        count: usize,
        factor: f64,
        skip: TensorPtr,
    ) -> c_int;
    fn svspec_approach(
        tensor: *const TensorPtr,
        other: *const TensorPtr,
        count: usize,
        share: f64,
        skip: TensorPtr,
    ) -> c_int;
    fn svspec_weights(
        weight: *const TensorPtr,
        row: *const TensorPtr,
        column: *const TensorPtr,
        count: usize,
        scaled: *mut *mut C_tensor,
    ) -> c_int;
    fn svspec_grouped_product(
        x: TensorPtr,
        weight: TensorPtr,
        ends: TensorPtr,
        y: *mut *mut C_tensor,
    ) -> c_int;
    fn svspec_autocast_enter(device_type: c_int, enabled: *mut c_int, dtype: *mut c_int) -> c_int;
    fn svspec_autocast_exit(device_type: c_int, enabled: c_int, dtype: c_int) -> c_int;
    fn svspec_set_deterministic() -> c_int;
    fn svspec_widen_bf16_products(widened: c_int) -> c_int;
    fn svspec_rng_state(device_type: c_int, index: c_int, state: *mut *mut C_tensor) -> c_int;
    fn svspec_set_rng_state(device_type: c_int, index: c_int, state: TensorPtr) -> c_int;
    fn svspec_peak_bytes(device_type: c_int, index: c_int, bytes: *mut i64) -> c_int;
}

/// What LibTorch threw: the first line of its message, without the C++ stack.
#[derive(Debug, thiserror::Error)]
#[error("LibTorch: {0}")]
pub struct TorchError(pub String);

fn checked(status: c_int) -> Result<(), TorchError> {
    if status == 0 {
        return Ok(());
    }
    // SAFETY: the message is a live, zero-terminated string until this thread's next failing call.
    let message = unsafe { CStr::from_ptr(svspec_last_error()) }.to_string_lossy();
    Err(TorchError(message.lines().next().unwrap_or_default().to_owned()))
}

/// The file's bytes, read from the disk where they are looked at.
pub fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the bytes are only read, as bytes. Who changes the file meanwhile gives the run other tokens or, by cutting it, ends it.
    unsafe { Mmap::map(file) }
}

fn pointers(tensors: &[Tensor]) -> Vec<TensorPtr> {
    tensors.iter().map(Tensor::as_ptr).collect()
}

/// LibTorch's number for a device's type, and the device's index among its like.
fn device_numbers(device: Device) -> (c_int, c_int) {
    match device {
        Device::Cuda(index) => (1, index as c_int),
        Device::Cpu | Device::Mps | Device::Vulkan => (0, -1),
    }
}

/// Loads LibTorch's CUDA half, so that one binary serves machines with and without it. Must come before anything else touches
/// LibTorch, which looks for it once. The error is the dynamic linker's reason.
pub fn load_cuda() -> Result<(), String> {
    // SAFETY: loading runs the library's initialisers, as linking against it would.
    unsafe {
        let library = libc::dlopen(c"libtorch_cuda.so".as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL);
        if library.is_null() {
            return Err(CStr::from_ptr(libc::dlerror()).to_string_lossy().into_owned());
        }
    }
    Ok(())
}

/// Whether, from here on, products and attention of bf16 tensors on the CPU are made in f32, each result rounded to bf16 once.
pub fn widen_bf16_products(widened: bool) -> Result<(), TorchError> {
    // SAFETY: a number. LibTorch locks its table of kernels; no product is under way.
    checked(unsafe { svspec_widen_bf16_products(c_int::from(widened)) })
}

/// Asks LibTorch for kernels that give the same bits every time. On a GPU this must come before the first matrix product.
pub fn set_deterministic() -> Result<(), TorchError> {
    // SAFETY: called from main before another thread of this program reads the environment.
    unsafe {
        // cuBLAS is deterministic only with a fixed workspace.
        std::env::set_var("CUBLAS_WORKSPACE_CONFIG", ":4096:8");
        checked(svspec_set_deterministic())
    }
}

/// Lets the process that `command` starts be told to stop when this one ends, in whatever way, and keeps a terminal's signals from it: they
/// reach it by [`ask_to_stop`] alone.
pub fn end_with_this_process(command: &mut Command) {
    command.process_group(0);
    // SAFETY: one system call, which may be made between fork and exec.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        });
    }
}

/// Sends SIGTERM.
pub fn ask_to_stop(child: &Child) {
    // SAFETY: a number in, a number out. The child has not been waited for, so that the number is still its own.
    let _ = unsafe { libc::kill(child.id().cast_signed(), libc::SIGTERM) };
}

/// The constants of one AdamW step.
#[derive(Clone, Copy, Debug)]
pub struct AdamW {
    /// The learning rate, multiplied out.
    pub lr: f64,
    /// β1 and β2.
    pub betas: (f64, f64),
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// ε.
    pub eps: f64,
}

/// One AdamW step in place; the slices run in parallel, and `step` holds an f32 scalar per tensor, which is counted up. Where the f32 scalar
/// `skip` on their device is 1, nothing changes, here and in the functions below that have it; it is not waited for.
///
/// # Panics
/// If the slices differ in length.
pub fn fused_adamw(
    param: &[Tensor],
    grad: &[Tensor],
    first_moment: &[Tensor],
    second_moment: &[Tensor],
    step: &[Tensor],
    adamw: AdamW,
    skip: &Tensor,
) -> Result<(), TorchError> {
    let count = param.len();
    assert!(
        [grad, first_moment, second_moment, step].iter().all(|list| list.len() == count),
        "one gradient, two moments and a step per parameter"
    );
    // SAFETY: five arrays of `count` live tensors.
    checked(unsafe {
        svspec_fused_adamw(
            pointers(param).as_ptr(),
            pointers(grad).as_ptr(),
            pointers(first_moment).as_ptr(),
            pointers(second_moment).as_ptr(),
            pointers(step).as_ptr(),
            count,
            adamw.lr,
            adamw.betas.0,
            adamw.betas.1,
            adamw.weight_decay,
            adamw.eps,
            skip.as_ptr(),
        )
    })
}

/// The L2 norm of each tensor, of at least one; in one tensor on their device, not waited for.
pub fn norms(tensors: &[Tensor]) -> Result<Tensor, TorchError> {
    let mut norms = std::ptr::null_mut();
    // SAFETY: an array of live tensors; on success `norms` is a new tensor that becomes ours.
    unsafe {
        checked(svspec_norms(pointers(tensors).as_ptr(), tensors.len(), &raw mut norms))?;
        Ok(Tensor::from_ptr(norms))
    }
}

/// The L2 norm over all entries of a tensor; a scalar on its device, not waited for.
pub fn norm(tensor: &Tensor) -> Result<Tensor, TorchError> {
    let mut norm = std::ptr::null_mut();
    // SAFETY: a live tensor; on success `norm` is a new one that becomes ours.
    unsafe {
        checked(svspec_norm(tensor.as_ptr(), &raw mut norm))?;
        Ok(Tensor::from_ptr(norm))
    }
}

/// Multiplies every tensor in place by `min(1, max_norm / (norm + 1e-6))`, not waited for.
pub fn scale_to_norm(tensors: &[Tensor], norm: &Tensor, max_norm: f64) -> Result<(), TorchError> {
    // SAFETY: an array of live tensors and one more.
    checked(unsafe {
        svspec_scale_to_norm(pointers(tensors).as_ptr(), tensors.len(), norm.as_ptr(), max_norm)
    })
}

/// Multiplies every tensor in place by `factor`.
pub fn multiply(tensors: &[Tensor], factor: f64, skip: &Tensor) -> Result<(), TorchError> {
    // SAFETY: an array of live tensors.
    checked(unsafe { svspec_multiply(pointers(tensors).as_ptr(), tensors.len(), factor, skip.as_ptr()) })
}

/// Adds to every tensor, in place, `factor` times the one beside it.
///
/// # Panics
/// If the slices differ in length.
pub fn add(tensors: &[Tensor], others: &[Tensor], factor: f64, skip: &Tensor) -> Result<(), TorchError> {
    assert_eq!(tensors.len(), others.len(), "one tensor to add to each");
    // SAFETY: two arrays of so many live tensors.
    checked(unsafe {
        svspec_add(
            pointers(tensors).as_ptr(),
            pointers(others).as_ptr(),
            tensors.len(),
            factor,
            skip.as_ptr(),
        )
    })
}

/// Moves every tensor in place by `share` of the way to the one beside it: `(1 − share) · tensor + share · other`.
///
/// # Panics
/// If the slices differ in length.
pub fn approach(tensors: &[Tensor], others: &[Tensor], share: f64, skip: &Tensor) -> Result<(), TorchError> {
    assert_eq!(tensors.len(), others.len(), "one tensor to approach for each");
    // SAFETY: two arrays of so many live tensors.
    checked(unsafe {
        svspec_approach(
            pointers(tensors).as_ptr(),
            pointers(others).as_ptr(),
            tensors.len(),
            share,
            skip.as_ptr(),
        )
    })
}

/// A matrix `[o, i]` with what multiplies its rows, `[o]`, and its columns, `[i]`.
pub struct ScaledMatrix {
    /// The matrix.
    pub matrix: Tensor,
    /// What multiplies its rows.
    pub row: Option<Tensor>,
    /// What multiplies its columns.
    pub column: Option<Tensor>,
}

/// Matrices on the CPU, of the same kind and number of columns, scaled and one above the other; bf16 under autocast to it.
pub fn weights(parts: &[ScaledMatrix]) -> Result<Tensor, TorchError> {
    let optional = |of: fn(&ScaledMatrix) -> Option<&Tensor>| -> Vec<TensorPtr> {
        parts.iter().map(|part| of(part).map_or(std::ptr::null(), Tensor::as_ptr)).collect()
    };
    let matrices = optional(|part| Some(&part.matrix));
    let (rows, columns) = (optional(|part| part.row.as_ref()), optional(|part| part.column.as_ref()));
    let mut scaled = std::ptr::null_mut();
    // SAFETY: three arrays of so many live tensors, those of vectors with nulls; on success `scaled` is a new one that becomes ours.
    unsafe {
        checked(svspec_weights(
            matrices.as_ptr(),
            rows.as_ptr(),
            columns.as_ptr(),
            parts.len(),
            &raw mut scaled,
        ))?;
        Ok(Tensor::from_ptr(scaled))
    }
}

/// Rows `[r, i]`, those of a group side by side, times the matrix `[o, i]` of each group: `[r, o]`. `ends_e` are the rows after
/// the last of each group, i32. `None` where LibTorch has no kernel for these kinds and sizes.
pub fn grouped_product(
    x_ri: &Tensor,
    weight_eoi: &Tensor,
    ends_e: &Tensor,
) -> Result<Option<Tensor>, TorchError> {
    let mut y = std::ptr::null_mut();
    // SAFETY: the tensors are live; on success `y` is a new tensor that becomes ours, or null as before.
    unsafe {
        checked(svspec_grouped_product(x_ri.as_ptr(), weight_eoi.as_ptr(), ends_e.as_ptr(), &raw mut y))?;
        Ok(if y.is_null() { None } else { Some(Tensor::from_ptr(y)) })
    }
}

/// Runs `body` under autocast to bf16. (tch's own is for CUDA alone, and in f16.)
pub fn autocast_bf16<T>(device: Device, body: impl FnOnce() -> T) -> Result<T, TorchError> {
    struct Leave(c_int, c_int, c_int);
    impl Drop for Leave {
        fn drop(&mut self) {
            // SAFETY: three numbers. A failure cannot be reported from here, and there is none to expect.
            let _ = unsafe { svspec_autocast_exit(self.0, self.1, self.2) };
        }
    }
    let (device_type, _) = device_numbers(device);
    let (mut enabled, mut dtype) = (0, 0);
    // SAFETY: two live integers to write to.
    checked(unsafe { svspec_autocast_enter(device_type, &raw mut enabled, &raw mut dtype) })?;
    let _leave = Leave(device_type, enabled, dtype);
    Ok(body())
}

/// The state of `device`'s default random generator, a tensor of bytes on the CPU.
pub fn rng_state(device: Device) -> Result<Tensor, TorchError> {
    let (device_type, index) = device_numbers(device);
    let mut state = std::ptr::null_mut();
    // SAFETY: on success `state` is a new tensor that becomes ours.
    unsafe {
        checked(svspec_rng_state(device_type, index, &raw mut state))?;
        Ok(Tensor::from_ptr(state))
    }
}

/// Puts back what [`rng_state`] gave.
pub fn set_rng_state(device: Device, state: &Tensor) -> Result<(), TorchError> {
    let (device_type, index) = device_numbers(device);
    // SAFETY: a live tensor, which LibTorch checks.
    checked(unsafe { svspec_set_rng_state(device_type, index, state.as_ptr()) })
}

/// The most bytes that tensors have taken at once on a GPU.
pub fn peak_bytes(device: Device) -> Result<u64, TorchError> {
    let (device_type, index) = device_numbers(device);
    let mut bytes = 0;
    // SAFETY: a live integer to write to.
    checked(unsafe { svspec_peak_bytes(device_type, index, &raw mut bytes) })?;
    Ok(u64::try_from(bytes).unwrap_or(0))
}
