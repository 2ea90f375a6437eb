//! A run's newest checkpoint, as the trainer left it: a run's folder in, its tensors by name out.

use anyhow::{Context as _, bail};
use safetensors::{Dtype, SafeTensors};
use std::path::{Path, PathBuf};

/// Where the newest checkpoint of `run` lies; of one whose replacement was cut short, the one before.
pub fn folder(run: &Path) -> anyhow::Result<PathBuf> {
    let mut folders = ["checkpoint", "checkpoint.previous"].into_iter().map(|folder| run.join(folder));
    match folders.find(|folder| folder.join("state.json").is_file()) {
        Some(folder) => Ok(folder),
        None => bail!("`{}` holds no checkpoint: train it for a step at least", run.display()),
    }
}

/// The bytes of a checkpoint's weights.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Checkpoint {
    /// Reads the newest of `run`.
    pub fn read(run: &Path) -> anyhow::Result<Self> {
        let path = folder(run)?.join("model.safetensors");
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        Ok(Self { path, bytes })
    }

    /// The file, taken apart.
    pub fn tensors(&self) -> anyhow::Result<Tensors<'_>> {
        let tensors = SafeTensors::deserialize(&self.bytes)
            .with_context(|| format!("`{}` is not a whole safetensors file", self.path.display()))?;
        Ok(Tensors { path: &self.path, tensors })
    }
}

/// Named tensors of 32-bit floats.
#[derive(Debug)]
pub struct Tensors<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
}

impl Tensors<'_> {
    /// The little-endian entries of `name`, of which there are `num_entries`.
    pub fn bytes(&self, name: &str, num_entries: usize) -> anyhow::Result<&[u8]> {
        let shown = self.path.display();
        let tensor = self.tensors.tensor(name).with_context(|| format!("`{shown}` lacks `{name}`"))?;
        if tensor.dtype() != Dtype::F32 {
            bail!("`{name}` in `{shown}` is {:?}, and the trainer writes F32", tensor.dtype());
        }
        if tensor.data().len() != 4 * num_entries {
            bail!("`{name}` in `{shown}` has the sizes {:?}, not {num_entries} entries", tensor.shape());
        }
        Ok(tensor.data())
    }

    /// The same as numbers.
    pub fn values(&self, name: &str, num_entries: usize) -> anyhow::Result<Vec<f64>> {
        let bytes = self.bytes(name, num_entries)?;
        let (entries, _) = bytes.as_chunks::<4>();
        Ok(entries.iter().map(|entry| f64::from(f32::from_le_bytes(*entry))).collect())
    }
}
