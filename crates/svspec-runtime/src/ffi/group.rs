//! `cpp/group.cpp` and `cpp/reducer.cpp`: c10d's store and process groups, and the hooks that sum gradients as they arrive.

use super::{TensorPtr, TorchError, checked, pointers};
use std::ffi::{CString, c_char, c_int};
use std::ptr::{self, NonNull};
use std::time::Duration;
use tch::Tensor;
use torch_sys::C_tensor;

/// Declares a type that only C++ knows, a handle that owns one, and its end.
macro_rules! handle {
    ($raw:ident, $handle:ident, $free:ident, $doc:literal) => {
        #[repr(C)]
        struct $raw([u8; 0]);

        #[doc = $doc]
        #[derive(Debug)]
        pub struct $handle(NonNull<$raw>);

        impl $handle {
            fn own(raw: *mut $raw) -> Result<Self, TorchError> {
                let handle = NonNull::new(raw).map(Self);
                handle.ok_or_else(|| TorchError(concat!("no ", stringify!($handle)).to_owned()))
            }
        }

        impl Drop for $handle {
            fn drop(&mut self) {
                // SAFETY: it came from C++ and is freed once.
                unsafe { $free(self.0.as_ptr()) }
            }
        }
    };
}

handle!(RawStore, Store, svspec_store_free, "Keys and values that all processes of a run see.");
handle!(RawGroup, Group, svspec_group_free, "The processes of a run, numbered, and their connections.");
handle!(
    RawReducer,
    Reducer,
    svspec_reducer_free,
    "Hooks that put gradients into buckets and sum those over processes."
);

// SAFETY: c10d's stores lock what threads share, and its groups may be made in one thread and used in another.
unsafe impl Send for Store {}
// SAFETY: as above; no method takes anything but `&self`.
unsafe impl Sync for Store {}
// SAFETY: as above.
unsafe impl Send for Group {}

#[repr(C)]
struct RawWork([u8; 0]);

/// A collective under way; its tensor must not be touched before it has been waited for.
#[derive(Debug)]
#[must_use = "a collective that is not waited for may have failed"]
pub struct Work(*mut RawWork);

unsafe extern "C" {
    fn svspec_quiet_c10d();
    fn svspec_store_open(
        host: *const c_char,
        port: u16,
        serves: c_int,
        timeout_ms: i64,
        store: *mut *mut RawStore,
        bound: *mut u16,
    ) -> c_int;
    fn svspec_store_under(store: *mut RawStore, prefix: *const c_char, under: *mut *mut RawStore) -> c_int;
    fn svspec_store_set(store: *mut RawStore, key: *const c_char, value: *const u8, length: usize) -> c_int;
    fn svspec_store_get(
        store: *mut RawStore,
        key: *const c_char,
        timeout_ms: i64,
        value: *mut *const u8,
        length: *mut usize,
    ) -> c_int;
    fn svspec_store_get_all(
        store: *mut RawStore,
        keys: *const *const c_char,
        count: usize,
        values: *mut *const u8,
        lengths: *mut usize,
    ) -> c_int;
    fn svspec_store_free(store: *mut RawStore);
    fn svspec_group_gloo(
        store: *mut RawStore,
        rank: c_int,
        world: c_int,
        timeout_ms: i64,
        address: *const c_char,
        is_interface: c_int,
        group: *mut *mut RawGroup,
    ) -> c_int;
    fn svspec_group_free(group: *mut RawGroup);
    fn svspec_group_all_reduce(group: *mut RawGroup, tensor: TensorPtr, work: *mut *mut RawWork) -> c_int;
    fn svspec_group_broadcast(
        group: *mut RawGroup,
        tensor: TensorPtr,
        root: c_int,
        work: *mut *mut RawWork,
    ) -> c_int;
    fn svspec_group_send(
        group: *mut RawGroup,
        tensor: TensorPtr,
        to: c_int,
        tag: c_int,
        work: *mut *mut RawWork,
    ) -> c_int;
    fn svspec_group_receive(
        group: *mut RawGroup,
        tensor: TensorPtr,
        from: c_int,
        tag: c_int,
        work: *mut *mut RawWork,
    ) -> c_int;
    fn svspec_work_wait(work: *mut RawWork) -> c_int;
    fn svspec_reducer_new(
        group: *mut RawGroup,
        parameter: *const TensorPtr,
        count: usize,
        bucket: *const usize,
        root: *const c_int,
        num_buckets: usize,
        reducer: *mut *mut RawReducer,
        sum: *mut *mut C_tensor,
    ) -> c_int;
    fn svspec_reducer_begin(reducer: *mut RawReducer, is_first: c_int, is_last: c_int) -> c_int;
    fn svspec_reducer_end(reducer: *mut RawReducer) -> c_int;
    fn svspec_reducer_wait(reducer: *mut RawReducer) -> c_int;
    fn svspec_reducer_spread(reducer: *mut RawReducer) -> c_int;
    fn svspec_reducer_take(reducer: *mut RawReducer) -> c_int;
    fn svspec_reducer_free(reducer: *mut RawReducer);
}

/// Where this process is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// At a host's name or address.
    Host(String),
    /// At a network interface, by its name.
    Interface(String),
}

fn c_string(text: &str) -> Result<CString, TorchError> {
    CString::new(text).map_err(|_| TorchError(format!("`{text}` has a zero byte in it")))
}

/// # Safety
/// There are `length` bytes at `value`; none need be there if that is 0.
unsafe fn text(value: *const u8, length: usize) -> String {
    if length == 0 {
        return String::new();
    }
    // SAFETY: as the caller says.
    String::from_utf8_lossy(unsafe { std::slice::from_raw_parts(value, length) }).into_owned()
}

/// Keeps c10d from writing to standard error by itself, unless the environment says what it should write.
pub fn quiet_c10d() {
    // SAFETY: sets a number that c10d's threads, of which there are none yet, compare with.
    unsafe { svspec_quiet_c10d() }
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

impl Store {
    /// Serves a store at `host`, at `port` or, if that is 0, any free one. The result says at which.
    pub fn serve(host: &str, port: u16, timeout: Duration) -> Result<(Self, u16), TorchError> {
        Self::open(host, port, 1, timeout)
    }

    /// Connects to the store at `host` and `port`, and waits `timeout` at most until it is there.
    pub fn connect(host: &str, port: u16, timeout: Duration) -> Result<Self, TorchError> {
        Ok(Self::open(host, port, 0, timeout)?.0)
    }

    fn open(host: &str, port: u16, serves: c_int, timeout: Duration) -> Result<(Self, u16), TorchError> {
        let host = c_string(host)?;
        let (mut store, mut bound) = (ptr::null_mut(), 0);
        // SAFETY: a zero-terminated string and two live places to write to.
        checked(unsafe {
            let timeout = milliseconds(timeout);
            svspec_store_open(host.as_ptr(), port, serves, timeout, &raw mut store, &raw mut bound)
        })?;
        Ok((Self::own(store)?, bound))
    }

    /// The same store with `prefix` before every key.
    pub fn under(&self, prefix: &str) -> Result<Self, TorchError> {
        let prefix = c_string(prefix)?;
        let mut under = ptr::null_mut();
        // SAFETY: a live store, a zero-terminated string, a live place to write to.
        checked(unsafe { svspec_store_under(self.0.as_ptr(), prefix.as_ptr(), &raw mut under) })?;
        Self::own(under)
    }

    /// Gives `key` a value.
    pub fn set(&self, key: &str, value: &str) -> Result<(), TorchError> {
        let key = c_string(key)?;
        // SAFETY: a live store, a zero-terminated string, and as many bytes as are said.
        checked(unsafe { svspec_store_set(self.0.as_ptr(), key.as_ptr(), value.as_ptr(), value.len()) })
    }

    /// The value of `key`, waited for.
    pub fn get(&self, key: &str, timeout: Duration) -> Result<String, TorchError> {
        let key = c_string(key)?;
        let (mut value, mut length) = (ptr::null(), 0);
        // SAFETY: a live store and a zero-terminated string; the bytes stay until this thread's next reading.
        unsafe {
            let timeout = milliseconds(timeout);
            checked(svspec_store_get(
                self.0.as_ptr(),
                key.as_ptr(),
                timeout,
                &raw mut value,
                &raw mut length,
            ))?;
            Ok(text(value, length))
        }
    }

    /// The values of keys that have been set, in one question.
    pub fn get_all(&self, keys: &[String]) -> Result<Vec<String>, TorchError> {
        let keys: Vec<CString> = keys.iter().map(|key| c_string(key)).collect::<Result<_, _>>()?;
        let raw: Vec<*const c_char> = keys.iter().map(|key| key.as_ptr()).collect();
        let mut values = vec![ptr::null(); keys.len()];
        let mut lengths = vec![0; keys.len()];
        // SAFETY: a live store and arrays of the length said; the bytes stay until this thread's next reading.
        unsafe {
            checked(svspec_store_get_all(
                self.0.as_ptr(),
                raw.as_ptr(),
                keys.len(),
                values.as_mut_ptr(),
                lengths.as_mut_ptr(),
            ))?;
            Ok(values.into_iter().zip(lengths).map(|(value, length)| text(value, length)).collect())
        }
    }
}

impl Group {
    /// Process `rank` of `world` in a group over Gloo, with all others there. None waits longer than `timeout` for another, now or later.
    pub fn gloo(
        store: &Store,
        rank: usize,
        world: usize,
        timeout: Duration,
        address: &Address,
    ) -> Result<Self, TorchError> {
        let (name, is_interface) = match address {
            Address::Host(name) => (name, 0),
            Address::Interface(name) => (name, 1),
        };
        let name = c_string(name)?;
        let mut group = ptr::null_mut();
        // SAFETY: a live store, a zero-terminated string, a live place to write to.
        checked(unsafe {
            svspec_group_gloo(
                store.0.as_ptr(),
                rank as c_int,
                world as c_int,
                milliseconds(timeout),
                name.as_ptr(),
                is_interface,
                &raw mut group,
            )
        })?;
        Self::own(group)
    }

    /// Starts to sum `tensor`, contiguous, over all processes, in place in each.
    pub fn all_reduce(&self, tensor: &Tensor) -> Result<Work, TorchError> {
        let mut work = ptr::null_mut();
        // SAFETY: live handles; c10d keeps the tensor until the work is done.
        checked(unsafe { svspec_group_all_reduce(self.0.as_ptr(), tensor.as_ptr(), &raw mut work) })?;
        Ok(Work(work))
    }

    /// Starts to overwrite `tensor`, contiguous, in every process by that of process `root`.
    pub fn broadcast(&self, tensor: &Tensor, root: usize) -> Result<Work, TorchError> {
        let mut work = ptr::null_mut();
        // SAFETY: as above.
        checked(unsafe {
            svspec_group_broadcast(self.0.as_ptr(), tensor.as_ptr(), root as c_int, &raw mut work)
        })?;
        Ok(Work(work))
    }

    /// Starts to send `tensor`, contiguous, to process `to`, which receives it under the same tag.
    pub fn send(&self, tensor: &Tensor, to: usize, tag: usize) -> Result<Work, TorchError> {
        let mut work = ptr::null_mut();
        // SAFETY: live handles; c10d keeps the tensor until the work is done.
        checked(unsafe {
            svspec_group_send(self.0.as_ptr(), tensor.as_ptr(), to as c_int, tag as c_int, &raw mut work)
        })?;
        Ok(Work(work))
    }

    /// Starts to overwrite `tensor`, contiguous, by the one that process `from` sends under this tag.
    pub fn receive(&self, tensor: &Tensor, from: usize, tag: usize) -> Result<Work, TorchError> {
        let mut work = ptr::null_mut();
        // SAFETY: as above.
        checked(unsafe {
            svspec_group_receive(self.0.as_ptr(), tensor.as_ptr(), from as c_int, tag as c_int, &raw mut work)
        })?;
        Ok(Work(work))
    }
}

impl Work {
    /// Waits until it is done; an error if another process is gone, or does not answer within the group's time-out.
    pub fn wait(self) -> Result<(), TorchError> {
        // SAFETY: made by a collective, and freed by this call alone, which takes it.
        checked(unsafe { svspec_work_wait(self.0) })
    }
}

impl Reducer {
    /// Hooks on `parameters`, whose gradients go to the buckets beside them, and where the sums of the gradients will be. Bucket `i` is
    /// summed in process `roots[i]`, or in all.
    ///
    /// # Panics
    /// If the lists differ in length.
    pub fn new(
        group: &Group,
        parameters: &[Tensor],
        buckets: &[usize],
        roots: &[Option<usize>],
    ) -> Result<(Self, Vec<Tensor>), TorchError> {
        assert_eq!(parameters.len(), buckets.len(), "a bucket for each parameter");
        assert!(buckets.iter().all(|&bucket| bucket < roots.len()), "every bucket is known");
        let roots: Vec<c_int> = roots.iter().map(|root| root.map_or(-1, |root| root as c_int)).collect();
        let mut reducer = ptr::null_mut();
        let mut sums = vec![ptr::null_mut(); parameters.len()];
        // SAFETY: arrays of the lengths said; on success every sum is a new tensor that becomes ours.
        unsafe {
            checked(svspec_reducer_new(
                group.0.as_ptr(),
                pointers(parameters).as_ptr(),
                parameters.len(),
                buckets.as_ptr(),
                roots.as_ptr(),
                roots.len(),
                &raw mut reducer,
                sums.as_mut_ptr(),
            ))?;
            let sums = sums.into_iter().map(|sum| Tensor::from_ptr(sum)).collect();
            Ok((Self::own(reducer)?, sums))
        }
    }

    /// Before a backward pass. The first of a step overwrites what the last step left; in the last, full buckets are sent.
    pub fn begin(&self, is_first: bool, is_last: bool) -> Result<(), TorchError> {
        // SAFETY: a live reducer.
        checked(unsafe { svspec_reducer_begin(self.0.as_ptr(), c_int::from(is_first), c_int::from(is_last)) })
    }

    /// After a backward pass.
    pub fn end(&self) -> Result<(), TorchError> {
        // SAFETY: a live reducer.
        checked(unsafe { svspec_reducer_end(self.0.as_ptr()) })
    }

    /// Waits until every bucket is summed.
    pub fn wait(&self) -> Result<(), TorchError> {
        // SAFETY: a live reducer.
        checked(unsafe { svspec_reducer_wait(self.0.as_ptr()) })
    }

    /// Overwrites the parameters of every bucket that has a process of its own by that process's, and waits until it is done.
    pub fn spread(&self) -> Result<(), TorchError> {
        // SAFETY: a live reducer.
        checked(unsafe { svspec_reducer_spread(self.0.as_ptr()) })?;
        self.wait()?;
        // SAFETY: as above.
        checked(unsafe { svspec_reducer_take(self.0.as_ptr()) })
    }
}
