//! A state at one moment in, the folder of a checkpoint out: complete or absent, whatever instant the program dies at.
//!
//! It is written beside its place, brought to the disk, and renamed. The one before stays until then, and longer where the
//! spec asks to keep it.

use super::{
    CheckpointError, FOLDER, Keep, MODEL_FILE, OPTIMIZER_FILE, PREVIOUS, RECORD_FILE, RNG_CPU, RNG_DEVICE,
    Record, State, UNFINISHED, system,
};
use crate::ffi;
use crate::health;
use crate::tensor_file;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use tch::{Device, Tensor};

/// What a checkpoint holds: the run's own tensors, which nothing may change until they are [copied](Self::copied).
#[derive(Debug)]
pub struct Snapshot {
    record: Record,
    weights: Vec<(String, Tensor)>,
    /// What the optimizer remembers; and what is known of the losses, and the state of LibTorch's generators, which are copies from
    /// the beginning: they change before the next step is taken.
    remembered: Vec<(String, Tensor)>,
}

impl Snapshot {
    /// Of `state`, whose optimizer has `remembered` this, and which `record` describes.
    pub fn take(
        state: &State,
        mut remembered: Vec<(String, Tensor)>,
        record: Record,
        device: Device,
    ) -> Result<Self, CheckpointError> {
        let weights =
            state.params.iter().map(|param| (param.name.clone(), param.tensor.shallow_clone())).collect();
        remembered.push((health::MEMORY_NAME.to_owned(), copy(&state.guard.memory())));
        remembered.push((RNG_CPU.to_owned(), ffi::rng_state(Device::Cpu)?));
        if device.is_cuda() {
            remembered.push((RNG_DEVICE.to_owned(), ffi::rng_state(device)?));
        }
        Ok(Self { record, weights, remembered })
    }

    /// With copies on the CPU of all that the run may change.
    #[must_use]
    pub fn copied(self) -> Self {
        let copied = |tensors: Vec<(String, Tensor)>| {
            tensors.into_iter().map(|(name, tensor)| (name, copy(&tensor))).collect()
        };
        let Self { record, weights, remembered } = self;
        Self { record, weights: copied(weights), remembered: copied(remembered) }
    }
}

fn copy(tensor: &Tensor) -> Tensor {
    let tensor = tensor.detach();
    if tensor.device() == Device::Cpu { tensor.copy() } else { tensor.to_device(Device::Cpu) }
}

/// Puts `snapshot` in the place of `run`'s checkpoint.
pub fn save(run: &Path, snapshot: &Snapshot, keep: Keep) -> Result<(), CheckpointError> {
    let (folder, previous, unfinished) = (run.join(FOLDER), run.join(PREVIOUS), run.join(UNFINISHED));
    remove(&unfinished)?;
    let written = write(&unfinished, snapshot);
    if written.is_err() {
        // Leave the space to whoever needs it; the error to report is the first one.
        let _ = fs::remove_dir_all(&unfinished);
    }
    written?;
    if folder.exists() {
        // Left there by a crash.
        keep.retire(run)?;
        rename(&folder, &previous)?;
    }
    rename(&unfinished, &folder)?;
    sync(run)?;
    keep.tidy(run)
}

fn write(folder: &Path, snapshot: &Snapshot) -> Result<(), CheckpointError> {
    fs::create_dir(folder).map_err(|source| system("write", folder, source))?;
    let note = || Some(("step", snapshot.record.step.to_string()));
    tensor_file::write(&folder.join(MODEL_FILE), &snapshot.weights, note())?;
    tensor_file::write(&folder.join(OPTIMIZER_FILE), &snapshot.remembered, note())?;
    write_record(&folder.join(RECORD_FILE), &snapshot.record)?;
    sync(folder)
}

/// Puts a record in the place of the one called `name` in `folder`, if there is one: one of the two is there at any instant.
pub(super) fn replace_record(folder: &Path, name: &str, record: &Record) -> Result<(), CheckpointError> {
    let unfinished = folder.join(format!("{name}.unfinished"));
    write_record(&unfinished, record)?;
    rename(&unfinished, &folder.join(name))?;
    sync(folder)
}

/// Writes a record and waits until it is on the disk.
fn write_record(path: &Path, record: &Record) -> Result<(), CheckpointError> {
    let json = serde_json::to_string_pretty(record).map_err(|error| system("write", path, error.into()))?;
    fs::write(path, json + "\n")
        .and_then(|()| File::open(path)?.sync_all())
        .map_err(|source| system("write", path, source))
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), CheckpointError> {
    fs::rename(from, to).map_err(|source| system("rename", from, source))
}

/// Removes a folder if it is there.
pub(super) fn remove(folder: &Path) -> Result<(), CheckpointError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(system("remove", folder, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Brings a folder's own entries to the disk.
pub(super) fn sync(folder: &Path) -> Result<(), CheckpointError> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(|source| system("write", folder, source))
}
