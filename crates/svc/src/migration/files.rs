//! The files of a checkpoint, read as bytes by name and written the same way.

use crate::checkpoint;
use anyhow::{Context as _, bail};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use svspec_ir::eval::Tensor;

/// Of `state.json`.
pub const FORMAT_VERSION: u64 = 2;

const WEIGHTS: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const STATE: &str = "state.json";

/// The bytes of a run's newest checkpoint.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
    weights: Vec<u8>,
    optimizer: Vec<u8>,
    state: Vec<u8>,
}

/// Named tensors of one file.
#[derive(Debug)]
pub struct Tensors<'a> {
    path: PathBuf,
    tensors: SafeTensors<'a>,
}

/// A tensor to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buffer {
    kind: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Files {
    /// Reads them.
    pub fn read(run: &Path) -> anyhow::Result<Self> {
        let folder = checkpoint::folder(run)?;
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))
        };
        let (weights, optimizer, state) = (read(WEIGHTS)?, read(OPTIMIZER)?, read(STATE)?);
        Ok(Self { folder, weights, optimizer, state })
    }

    pub(super) fn weights(&self) -> anyhow::Result<Tensors<'_>> {
        Tensors::of(self.folder.join(WEIGHTS), &self.weights)
    }

    pub(super) fn optimizer(&self) -> anyhow::Result<Tensors<'_>> {
        Tensors::of(self.folder.join(OPTIMIZER), &self.optimizer)
    }

    pub(super) fn state(&self) -> anyhow::Result<Map<String, Value>> {
        let shown = || format!("`{}` is not a checkpoint's record", self.state_path().display());
        serde_json::from_slice(&self.state).with_context(shown)
    }

    pub(super) fn state_path(&self) -> PathBuf {
        self.folder.join(STATE)
    }
}

impl<'a> Tensors<'a> {
    fn of(path: PathBuf, bytes: &'a [u8]) -> anyhow::Result<Self> {
        let tensors = SafeTensors::deserialize(bytes)
            .with_context(|| format!("`{}` is not a whole safetensors file", path.display()))?;
        Ok(Self { path, tensors })
    }

    /// All names, in order.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.tensors.names().into_iter().collect();
        names.sort_unstable();
        names
    }

    /// The file, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn view(&self, name: &str) -> anyhow::Result<TensorView<'a>> {
        self.tensors.tensor(name).with_context(|| format!("`{}` lacks `{name}`", self.path.display()))
    }

    /// A tensor as it is.
    pub fn copy(&self, name: &str) -> anyhow::Result<Buffer> {
        let view = self.view(name)?;
        Ok(Buffer { kind: view.dtype(), shape: view.shape().to_vec(), bytes: view.data().to_vec() })
    }

    /// A tensor as numbers of the sizes `shape`.
    pub fn value(&self, name: &str, shape: Vec<usize>) -> anyhow::Result<Tensor> {
        let view = self.view(name)?;
        let shown = self.path.display();
        if ![Dtype::F32, Dtype::BF16].contains(&view.dtype()) {
            bail!("`{name}` in `{shown}` is {:?}, and the trainer writes F32 or BF16", view.dtype());
        }
        if view.shape() != shape {
            bail!("`{name}` in `{shown}` has the sizes {:?}, not {shape:?}", view.shape());
        }
        Ok(Tensor::new(shape, numbers(view.dtype(), view.data())))
    }
}

/// Numbers of a type that the trainer writes.
fn numbers(kind: Dtype, bytes: &[u8]) -> Vec<f64> {
    let entries: Vec<[u8; 4]> = if kind == Dtype::F32 {
        bytes.as_chunks::<4>().0.to_vec()
    } else {
        bytes.as_chunks::<2>().0.iter().copied().map(checkpoint::widened).collect()
    };
    entries.iter().map(|entry| f64::from(f32::from_le_bytes(*entry))).collect()
}

impl Buffer {
    /// Its numbers, which are the trainer's.
    pub fn numbers(&self) -> Tensor {
        Tensor::new(self.shape.clone(), numbers(self.kind, &self.bytes))
    }

    /// Numbers, rounded to 32 bits.
    pub fn of(value: &Tensor) -> Self {
        let bytes = value.data.iter().flat_map(|&entry| (entry as f32).to_le_bytes()).collect();
        Self { kind: Dtype::F32, shape: value.shape.clone(), bytes }
    }

    /// The same entries in a shape of as many.
    pub fn shaped(self, shape: Vec<usize>) -> Self {
        Self { shape, ..self }
    }
}

/// Writes a checkpoint and the metrics' first row into the folder of a run that has none. The record comes last: without it there is no
/// checkpoint.
pub(super) fn write(
    run: &Path,
    step: u64,
    weights: &[(String, Buffer)],
    optimizer: &[(String, Buffer)],
    state: &Map<String, Value>,
    metrics: &str,
) -> anyhow::Result<()> {
    let folder = run.join("checkpoint");
    std::fs::create_dir(&folder).with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    write_text(&run.join("metrics.jsonl"), metrics)?;
    write_tensors(&folder.join(WEIGHTS), weights, step)?;
    write_tensors(&folder.join(OPTIMIZER), optimizer, step)?;
    let text = serde_json::to_string_pretty(state).context("the record is plain data")?;
    write_text(&folder.join(STATE), &format!("{text}\n"))
}

fn write_text(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}

fn write_tensors(path: &Path, tensors: &[(String, Buffer)], step: u64) -> anyhow::Result<()> {
    let mut views = Vec::new();
    for (name, buffer) in tensors {
        let view = TensorView::new(buffer.kind, buffer.shape.clone(), &buffer.bytes)
            .with_context(|| format!("the tensor `{name}`"))?;
        views.push((name.as_str(), view));
    }
    // By it the trainer knows that files are of one moment.
    let note = HashMap::from([("step".to_owned(), step.to_string())]);
    safetensors::serialize_to_file(views, Some(note), path)
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    std::fs::File::open(path)
        .and_then(|file| file.sync_all())
        .with_context(|| format!("cannot write `{}`", path.display()))
}
