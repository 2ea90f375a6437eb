//! Nothing in, a process out whose CPU threads yield when others need their cores.
//!
//! LibTorch's threads meet at a barrier after every operation. GNU OpenMP lets the early ones spin for milliseconds there, and where
//! another process has taken a core they spin in place of the very thread they wait for: with ten runnable processes on two cores,
//! training was ten times slower than with the short spin below.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Turns before a thread goes to sleep, about ten microseconds: longer than from one operation to the next, shorter than a time slice.
const SPINS: &str = "1000";
/// What GNU OpenMP reads, once, when it is loaded.
const SPIN_COUNT: &str = "GOMP_SPINCOUNT";
const WAIT_POLICY: &str = "OMP_WAIT_POLICY";

/// Starts this program again, in this process, with the short spin, unless the user has set either variable. Comes back if that is not
/// possible or already done.
pub fn spin_briefly() {
    if env::var_os(SPIN_COUNT).is_some() || env::var_os(WAIT_POLICY).is_some() {
        return;
    }
    if let Ok(program) = env::current_exe() {
        // It returns only to say why it failed; training then goes on as it is.
        let _ = Command::new(program).args(env::args_os().skip(1)).env(SPIN_COUNT, SPINS).exec();
    }
}
