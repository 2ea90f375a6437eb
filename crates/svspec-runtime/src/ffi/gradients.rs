//! `cpp/gradients.cpp`: gradients that are known before the backward pass asks for them.

use super::{TensorPtr, TorchError, checked, device_numbers, pointers};
use std::ffi::c_int;
use tch::{Device, Tensor};
use torch_sys::C_tensor;

unsafe extern "C" {
    fn svspec_with_gradients(
        value: TensorPtr,
        inputs: *const TensorPtr,
        gradients: *const TensorPtr,
        count: usize,
        result: *mut *mut C_tensor,
    ) -> c_int;
    fn svspec_autocast_switch(device_type: c_int, enabled: c_int, before: *mut c_int) -> c_int;
}

/// `value`, a scalar, as a function of `inputs` with these gradients, which the backward pass scales in place.
///
/// # Panics
/// If the slices differ in length.
pub fn with_gradients(value: &Tensor, inputs: &[Tensor], gradients: &[Tensor]) -> Result<Tensor, TorchError> {
    assert_eq!(inputs.len(), gradients.len(), "one gradient for each input");
    let mut result = std::ptr::null_mut();
    // SAFETY: two arrays of so many live tensors and one more; on success `result` is a new tensor that becomes ours.
    unsafe {
        checked(svspec_with_gradients(
            value.as_ptr(),
            pointers(inputs).as_ptr(),
            pointers(gradients).as_ptr(),
            inputs.len(),
            &raw mut result,
        ))?;
        Ok(Tensor::from_ptr(result))
    }
}

/// Runs `body` without autocast, if it is on; weights that were cast stay cast for what comes after.
pub fn autocast_off<T>(device: Device, body: impl FnOnce() -> T) -> Result<T, TorchError> {
    struct Restore(c_int, c_int);
    impl Drop for Restore {
        fn drop(&mut self) {
            let mut before = 0;
            // SAFETY: two numbers and a live integer. A failure cannot be reported from here, and there is none to expect.
            let _ = unsafe { svspec_autocast_switch(self.0, self.1, &raw mut before) };
        }
    }
    let (device_type, _) = device_numbers(device);
    let mut before = 0;
    // SAFETY: a live integer to write to.
    checked(unsafe { svspec_autocast_switch(device_type, 0, &raw mut before) })?;
    let _restore = Restore(device_type, before);
    Ok(body())
}
