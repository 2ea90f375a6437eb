//! `cpp/recompute.cpp`: a closure that LibTorch's backward pass runs again.

use super::{TensorPtr, TorchError, checked, pointers};
use std::any::Any;
use std::ffi::{CString, c_char, c_int, c_void};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tch::Tensor;
use torch_sys::C_tensor;

type Call = unsafe extern "C" fn(*mut c_void, *mut C_tensor, *mut *mut C_tensor) -> c_int;
type Drop = unsafe extern "C" fn(*mut c_void);

unsafe extern "C" {
    fn svspec_set_last_error(message: *const c_char);
    fn svspec_recompute(
        x: TensorPtr,
        params: *const TensorPtr,
        count: usize,
        call: Call,
        drop: Drop,
        state: *mut c_void,
        y: *mut *mut C_tensor,
    ) -> c_int;
}

/// `body(x)`, a function of `x` and of the leaves `params`, of which nothing but these is kept: the backward pass runs `body`
/// again, under autocast as it was, with gradients. On a GPU it does so in another thread, while this one waits.
pub fn recompute<F>(x: &Tensor, params: &[Tensor], body: F) -> Result<Tensor, TorchError>
where
    F: Fn(&Tensor) -> Tensor + Send + 'static,
{
    let state = Box::into_raw(Box::new(body)).cast::<c_void>();
    let mut y = std::ptr::null_mut();
    // SAFETY: live tensors; `state` is what `call::<F>` and `drop::<F>` expect, and is theirs from here on. On success `y` is
    // a new tensor that becomes ours.
    unsafe {
        checked(svspec_recompute(
            x.as_ptr(),
            pointers(params).as_ptr(),
            params.len(),
            call::<F>,
            drop_state::<F>,
            state,
            &raw mut y,
        ))?;
        Ok(Tensor::from_ptr(y))
    }
}

/// Runs the closure at `state` on `x`; 0 with a new tensor in `y`, or -1 with the message kept.
///
/// # Safety
/// `state` is a live `F`, `x` a live tensor, `y` a place to write to.
unsafe extern "C" fn call<F>(state: *mut c_void, x: *mut C_tensor, y: *mut *mut C_tensor) -> c_int
where
    F: Fn(&Tensor) -> Tensor,
{
    // SAFETY: as promised; `x` is cloned, so that what is dropped here is ours.
    let (body, x) = unsafe { (&*state.cast::<F>(), Tensor::clone_from_ptr(x)) };
    match catch_unwind(AssertUnwindSafe(|| body(&x))) {
        Ok(result) => {
            let mut result = ManuallyDrop::new(result);
            // SAFETY: the tensor is handed over, not dropped.
            unsafe { *y = result.as_mut_ptr() };
            0
        }
        Err(payload) => {
            let message = CString::new(text(payload.as_ref()).replace('\0', " ")).unwrap_or_default();
            // SAFETY: a live, zero-terminated string, which is copied.
            unsafe { svspec_set_last_error(message.as_ptr()) };
            -1
        }
    }
}

/// Drops the closure at `state`.
///
/// # Safety
/// `state` came from a `Box<F>`, and is not used again.
unsafe extern "C" fn drop_state<F>(state: *mut c_void) {
    // SAFETY: as promised.
    drop(unsafe { Box::from_raw(state.cast::<F>()) });
}

fn text(payload: &(dyn Any + Send)) -> &str {
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("an unknown fault")
}
