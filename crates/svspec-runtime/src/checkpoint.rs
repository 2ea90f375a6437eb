//! The whole resumable state of a run in, a checkpoint folder out, and back to the same bits.
//!
//! Before its first checkpoint a run has `begun.json`, which says how its state at step 0 is made: so it can be taken up
//! after any instant.

mod keep;
mod snapshot;
mod writer;

pub use keep::Keep;
pub use snapshot::{Snapshot, save};
pub use writer::Writer;

use crate::corpus::Fingerprint;
use crate::corpus::held_out::Recorded;
use crate::ffi::{self, TorchError};
use crate::health::{self, Guard, RollBack};
use crate::metrics::MetricsError;
use crate::optimizer::Optimizer;
use crate::params::{Params, ParamsError};
use crate::precision;
use crate::spec::Spec;
use crate::tensor_file::{self, TensorFile, TensorFileError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tch::{Device, Tensor};

const FORMAT_VERSION: u32 = 2;
const FOLDER: &str = "checkpoint";
const PREVIOUS: &str = "checkpoint.previous";
const UNFINISHED: &str = "checkpoint.unfinished";
const BEGUN_FILE: &str = "begun.json";
const MODEL_FILE: &str = "model.safetensors";
const OPTIMIZER_FILE: &str = "optimizer.safetensors";
const RECORD_FILE: &str = "state.json";
/// The state of LibTorch's generators, among the optimizer's tensors.
const RNG_CPU: &str = "rng.cpu";
const RNG_DEVICE: &str = "rng.device";

/// All that changes from step to step.
#[derive(Debug)]
pub struct State {
    /// Steps taken. What a step reads follows from its number and the returns.
    pub step: u64,
    /// Seconds spent training, over all of the run's sittings.
    pub seconds: f64,
    /// The weights.
    pub params: Params,
    /// What it remembers: moments, momentum.
    pub optimizer: Optimizer,
    /// What is known of the losses so far.
    pub guard: Guard,
    /// The returns to earlier steps, in their order.
    pub roll_backs: Vec<RollBack>,
}

impl State {
    /// How many batches have been read, or passed over, before the next step.
    pub fn num_batches(&self) -> u64 {
        self.step + self.roll_backs.iter().map(|roll_back| roll_back.at - roll_back.to).sum::<u64>()
    }
}

/// What `state.json` says: which run this is, and how far it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Of this file.
    pub format_version: u32,
    /// The model's name.
    pub model: String,
    /// The spec's hash.
    pub spec_hash: String,
    /// Steps taken.
    pub step: u64,
    /// Steps planned; the schedule depends on them.
    pub steps: u64,
    /// Tokens seen.
    pub tokens: u64,
    /// The run's seed.
    pub seed: u64,
    /// What every group's learning rate is multiplied by.
    pub lr_scale: f64,
    /// CPU threads; sums split among another number of them may round otherwise.
    pub threads: i32,
    /// How many processes trained together; sums divided among another number of them may round otherwise.
    #[serde(default = "one")]
    pub processes: usize,
    /// Seconds spent training.
    pub seconds: f64,
    /// The folder of parameters that the run began with; `None`: initialised by its seed.
    pub init_from: Option<PathBuf>,
    /// What it reads, as the command line named it.
    pub data: Vec<PathBuf>,
    /// What it validates on besides.
    #[serde(default)]
    pub val: Vec<Recorded>,
    /// What was read there.
    pub corpus: Fingerprint,
    /// The returns to earlier steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roll_backs: Vec<RollBack>,
}

/// A record of whatever version.
#[derive(Debug, Deserialize)]
struct Version {
    format_version: u32,
}

fn one() -> usize {
    1
}

/// Why a checkpoint could not be written or taken up.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// There is none.
    #[error(
        "`{0}` holds no checkpoint to resume from: give the folder of a run, the one with `metrics.jsonl` in it"
    )]
    Missing(PathBuf),
    /// The system refuses.
    #[error("cannot {action} `{path}`: {source}")]
    System {
        /// `write`, `read`, `rename`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// `state.json` is not what it should be.
    #[error("`{path}` is not a checkpoint's record: {reason}")]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Of another model or another text of the spec.
    #[error(
        "the checkpoint in `{path}` is of {found}, and this is {wanted}: build the trainer from the spec it was trained with; what has changed since is shown by `svc train SPEC --resume {run}`"
    )]
    OtherSpec {
        /// The checkpoint.
        path: PathBuf,
        /// The run's folder.
        run: PathBuf,
        /// Its model and hash.
        found: String,
        /// Ours.
        wanted: String,
    },
    /// The files are not from one moment.
    #[error(
        "`{path}` is of step {found}, and `state.json` beside it of step {wanted}: these files do not belong together"
    )]
    Mixed {
        /// The file.
        path: PathBuf,
        /// Its step.
        found: String,
        /// The record's.
        wanted: u64,
    },
    /// The tensors do not fit.
    #[error("`{path}`: {source}")]
    Params {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: ParamsError,
    },
    /// The thread that wrote it panicked.
    #[error("the checkpoint of `{0}` could not be written: its writer ended early")]
    Died(PathBuf),
    /// The rows that it counts on could not be brought to the disk.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// A file of tensors is at fault.
    #[error(transparent)]
    File(#[from] TensorFileError),
    /// LibTorch refuses.
    #[error(transparent)]
    Torch(#[from] TorchError),
}

/// Whether `run` is the folder of a run, of whatever spec, that can be taken up.
pub fn exists(run: &Path) -> bool {
    find(run).is_some() || run.join(BEGUN_FILE).is_file()
}

/// The folder of `run`'s newest checkpoint. A crash may have fallen between the renames that put a new one in place.
fn find(run: &Path) -> Option<PathBuf> {
    let folders = [run.join(FOLDER), run.join(PREVIOUS)];
    folders.into_iter().find(|folder| folder.is_dir())
}

/// Notes how `run` begins, before it leaves anything else.
pub fn begin(run: &Path, record: &Record) -> Result<(), CheckpointError> {
    snapshot::replace_record(run, BEGUN_FILE, record)
}

/// Puts `record` in the place of that of `run`'s newest checkpoint, else of its beginning.
pub fn amend(run: &Path, record: &Record) -> Result<(), CheckpointError> {
    let (folder, name) = match find(run) {
        Some(folder) => (folder, RECORD_FILE),
        None => (run.to_owned(), BEGUN_FILE),
    };
    snapshot::replace_record(&folder, name, record)
}

/// Reads the record of `run`'s newest checkpoint, else of its beginning, and makes sure that it is of this spec.
pub fn load_record(run: &Path, spec: &Spec) -> Result<Record, CheckpointError> {
    let path = find(run).map_or_else(|| run.join(BEGUN_FILE), |folder| folder.join(RECORD_FILE));
    if !path.is_file() {
        return Err(CheckpointError::Missing(run.to_owned()));
    }
    let text = fs::read_to_string(&path).map_err(|source| system("read", &path, source))?;
    let fault = |reason: String| CheckpointError::Record { path: path.clone(), reason };
    // By itself first: what else a record of another version says is not known.
    let Version { format_version } = serde_json::from_str(&text).map_err(|error| fault(error.to_string()))?;
    if format_version != FORMAT_VERSION {
        return Err(fault(format!(
            "its format_version is {format_version}, and this trainer reads {FORMAT_VERSION}"
        )));
    }
    let record: Record = serde_json::from_str(&text).map_err(|error| fault(error.to_string()))?;
    if (record.model.as_str(), record.spec_hash.as_str()) != (spec.name, spec.hash) {
        let of = |name: &str, hash: &str| {
            format!("`{name}` with the spec hash {}", hash.get(..12).unwrap_or(hash))
        };
        return Err(CheckpointError::OtherSpec {
            path: path.clone(),
            run: run.to_owned(),
            found: of(&record.model, &record.spec_hash),
            wanted: of(spec.name, spec.hash),
        });
    }
    Ok(record)
}

/// Reads the state that goes with `record`, and puts LibTorch's generators back; `None` where the run has no checkpoint yet. `optimizer`
/// makes the optimizer that is filled.
pub fn load_state(
    run: &Path,
    record: &Record,
    spec: &'static Spec,
    device: Device,
    optimizer: impl FnOnce(&Params) -> Optimizer,
) -> Result<Option<State>, CheckpointError> {
    let Some(folder) = find(run) else { return Ok(None) };
    let (model_path, optimizer_path) = (folder.join(MODEL_FILE), folder.join(OPTIMIZER_FILE));
    let mut weights = load_tensors(&model_path, record)?;
    let params = Params::take(spec, &mut weights, device)
        .map_err(|source| CheckpointError::Params { path: model_path, source })?
        .in_kind(spec, precision::kind(spec.training.precision));
    let optimizer = optimizer(&params);
    let mut remembered = load_tensors(&optimizer_path, record)?;
    let misfit = |source| CheckpointError::Params { path: optimizer_path.clone(), source };
    for (name, mut tensor) in optimizer.state() {
        let found = ParamsError::expect(&mut remembered, &name, &tensor.size()).map_err(misfit)?;
        tch::no_grad(|| tensor.copy_(&found));
    }
    let generators = [(Device::Cpu, RNG_CPU), (device, RNG_DEVICE)];
    for (device, name) in generators {
        if let Some(generator) = remembered.remove(name) {
            ffi::set_rng_state(device, &generator)?;
        }
    }
    let guard = Guard::new(spec.training.health, device);
    // A checkpoint that was carried over from another spec has none.
    if let Some(losses) = remembered.remove(health::MEMORY_NAME) {
        tch::no_grad(|| guard.memory().copy_(&losses));
    }
    let roll_backs = record.roll_backs.clone();
    Ok(Some(State { step: record.step, seconds: record.seconds, params, optimizer, guard, roll_backs }))
}

fn load_tensors(path: &Path, record: &Record) -> Result<BTreeMap<String, Tensor>, CheckpointError> {
    let TensorFile { tensors, notes } = tensor_file::read(path)?;
    let found = notes.get("step").cloned().unwrap_or_default();
    if found != record.step.to_string() {
        return Err(CheckpointError::Mixed { path: path.to_owned(), found, wanted: record.step });
    }
    Ok(tensors)
}

impl Record {
    /// The format that this trainer writes.
    pub const FORMAT_VERSION: u32 = FORMAT_VERSION;
}

fn system(action: &'static str, path: &Path, source: io::Error) -> CheckpointError {
    CheckpointError::System { action, path: path.to_owned(), source }
}
