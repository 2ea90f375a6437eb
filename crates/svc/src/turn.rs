//! One trainer at a time is compiled and started: two specs may have models of one name, and the shared build folder has one
//! place for a program of that name.

use crate::terminal;
use anyhow::Context as _;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::File;
use std::path::Path;

/// The right to compile in the shared build folder, and to start what came of it. It ends when it is dropped, or with the process.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "held for as long as it is open")] File);

/// Waits until no other process has it.
pub fn wait(target: &Path) -> anyhow::Result<Turn> {
    let attempt = || -> std::io::Result<File> {
        std::fs::create_dir_all(target)?;
        let file = File::create(target.join("svc.lock"))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => {
                terminal::note("waiting for another svc to leave the shared build folder");
                flock(&file, FlockOperation::LockExclusive)?;
            }
            locked => locked?,
        }
        Ok(file)
    };
    attempt().map(Turn).with_context(|| format!("cannot lock the build folder `{}`", target.display()))
}
