//! SIGINT and SIGTERM in, a flag out that the loop looks at after each step; a second signal ends the program at once.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// From now on the result says whether a signal has come.
pub fn watch() -> io::Result<impl Fn() -> bool> {
    let came = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag down, the second finds it up.
        flag::register_conditional_shutdown(signal, 130, Arc::clone(&came))?;
        flag::register(signal, Arc::clone(&came))?;
    }
    Ok(move || came.load(Ordering::Relaxed))
}
