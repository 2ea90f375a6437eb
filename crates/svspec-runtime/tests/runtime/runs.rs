//! Runs in temporary folders, one at a time: LibTorch's random generator and thread count belong to the whole process.

use crate::hand::{Hand, Size};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use svspec_runtime::device::Choice;
use svspec_runtime::dist::{PATIENCE, Place};
use svspec_runtime::observation::Observation;
use svspec_runtime::progress::Verbosity;
use svspec_runtime::run::{self, Options, RunError};
use svspec_runtime::spec::OptimizerState;
use svspec_runtime::train::Ending;

static TURN: Mutex<()> = Mutex::new(());

/// Holds back other tests that train.
pub fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder that goes when the test does.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("svspec-runtime-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Twenty thousand bytes in which each follows from the one before, once it is known where the sentence is.
    pub fn corpus(&self) -> PathBuf {
        let path = self.join("corpus.txt");
        fs::write(&path, "the quick brown fox jumps over the lazy dog; ".repeat(450)).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The CPU, or the GPU where `SVSPEC_TEST_DEVICE` is `cuda`.
fn device() -> Choice {
    match std::env::var("SVSPEC_TEST_DEVICE").as_deref() {
        Ok("cuda") => Choice::Cuda,
        Ok(_) | Err(_) => Choice::Cpu,
    }
}

pub fn options(data: &Path, out: &Path) -> Options {
    Options {
        data: vec![data.to_owned()],
        val: Vec::new(),
        out: Some(out.to_owned()),
        steps: None,
        seed: None,
        lr_scale: None,
        resume: None,
        init_from: None,
        device: device(),
        threads: Some(2),
        place: Place::alone(),
        timeout: PATIENCE,
        optimizer_state: OptimizerState::Whole,
        observation: Observation::default(),
        verbosity: Verbosity::Quiet,
    }
}

pub fn resumption(run: &Path) -> Options {
    Options {
        data: Vec::new(),
        out: None,
        resume: Some(run.to_owned()),
        ..options(Path::new(""), Path::new(""))
    }
}

/// Trains to the end.
pub fn train<S: Size>(options: &Options) -> Result<Ending, RunError> {
    run::run::<Hand<S>>(options, &|_| false)
}

/// Trains until `step` is done.
pub fn train_until<S: Size>(options: &Options, step: u64) -> Result<Ending, RunError> {
    run::run::<Hand<S>>(options, &|done| done == step)
}

/// The rows of a file, without what the clock says.
pub fn rows(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().map(|line| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        for clocked in
            ["seconds", "tokens_per_second", "flops_per_second", "peak_memory_bytes", "step_seconds"]
        {
            row.as_object_mut().unwrap().remove(clocked);
        }
        row
    });
    rows.collect()
}

/// The bytes of the files that hold the state of a run.
pub fn state_bytes(run: &Path) -> [Vec<u8>; 2] {
    ["model.safetensors", "optimizer.safetensors"]
        .map(|file| fs::read(run.join("checkpoint").join(file)).unwrap())
}
