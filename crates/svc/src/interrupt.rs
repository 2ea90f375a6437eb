//! The signals that end a command in; while a child process works, they are acted upon instead.

use anyhow::Context as _;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Signals that are caught from now on. Made before the child is, so that none falls between.
#[derive(Debug)]
pub struct Caught(Signals);

/// Acts on each signal until it is told to end.
#[derive(Debug)]
pub struct Watch {
    handle: Handle,
    thread: JoinHandle<()>,
    came: Arc<AtomicBool>,
}

/// Catches SIGINT, SIGTERM and SIGHUP.
pub fn catch() -> anyhow::Result<Caught> {
    Ok(Caught(Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot catch signals")?))
}

impl Caught {
    /// Calls `act` with each signal, those that have come already included.
    pub fn watch(self, act: impl Fn(i32) + Send + 'static) -> Watch {
        let Self(mut signals) = self;
        let (handle, came) = (signals.handle(), Arc::new(AtomicBool::new(false)));
        let seen = Arc::clone(&came);
        let thread = std::thread::spawn(move || {
            for signal in signals.forever() {
                seen.store(true, Ordering::Relaxed);
                act(signal);
            }
        });
        Watch { handle, thread, came }
    }
}

impl Watch {
    /// Ends the watch, and says whether any signal came.
    pub fn end(self) -> bool {
        self.handle.close();
        // It only passes signals on; nothing that it could have failed at matters any more.
        let _ = self.thread.join();
        self.came.load(Ordering::Relaxed)
    }
}
