//! A run's newest checkpoint, as the trainer left it: a run's folder in, its tensors by name out, each read when it is
//! asked for.

use anyhow::{Context as _, bail};
use safetensors::Dtype;
use safetensors::tensor::Metadata;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Where the newest checkpoint of `run` lies; of one whose replacement was cut short, the one before.
pub fn folder(run: &Path) -> anyhow::Result<PathBuf> {
    let mut folders = ["checkpoint", "checkpoint.previous"].into_iter().map(|folder| run.join(folder));
    match folders.find(|folder| folder.join("state.json").is_file()) {
        Some(folder) => Ok(folder),
        None => bail!("`{}` holds no checkpoint: train it for a step at least", run.display()),
    }
}

/// The largest header that is believed.
const MAX_HEADER: u64 = 100_000_000;

/// The file of a checkpoint's weights, all of them 32-bit floats.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    file: File,
    header: Metadata,
    /// Where the first tensor begins.
    start: u64,
}

impl Checkpoint {
    /// Opens the newest of `run`.
    pub fn open(run: &Path) -> anyhow::Result<Self> {
        let path = folder(run)?.join("model.safetensors");
        let shown = path.display().to_string();
        let mut file = File::open(&path).with_context(|| format!("cannot read `{shown}`"))?;
        let (header, start) =
            header(&mut file).with_context(|| format!("`{shown}` is not a whole safetensors file"))?;
        Ok(Self { path, file, header, start })
    }

    /// The entries of `name`, of which there are `num_entries`, as little-endian f32; those of a run in bf16 throughout are
    /// widened.
    pub fn entries(&self, name: &str, num_entries: usize) -> anyhow::Result<Vec<[u8; 4]>> {
        let shown = self.path.display();
        let tensor = self.header.info(name).with_context(|| format!("`{shown}` lacks `{name}`"))?;
        if ![Dtype::F32, Dtype::BF16].contains(&tensor.dtype) {
            bail!("`{name}` in `{shown}` is {:?}, and the trainer writes F32 or BF16", tensor.dtype);
        }
        let width = if tensor.dtype == Dtype::F32 { 4 } else { 2 };
        let (begin, end) = tensor.data_offsets;
        let mut bytes = vec![0; end.saturating_sub(begin)];
        if bytes.len() != width * num_entries {
            bail!("`{name}` in `{shown}` has the sizes {:?}, not {num_entries} entries", tensor.shape);
        }
        let mut file = &self.file;
        let read =
            file.seek(SeekFrom::Start(self.start + begin as u64)).and_then(|_| file.read_exact(&mut bytes));
        read.with_context(|| format!("cannot read `{name}` in `{shown}`"))?;
        if width == 4 {
            return Ok(bytes.as_chunks::<4>().0.to_vec());
        }
        Ok(bytes.as_chunks::<2>().0.iter().copied().map(widened).collect())
    }

    /// The same as numbers.
    pub fn values(&self, name: &str, num_entries: usize) -> anyhow::Result<Vec<f64>> {
        let entries = self.entries(name, num_entries)?;
        Ok(entries.into_iter().map(|entry| f64::from(f32::from_le_bytes(entry))).collect())
    }
}

/// A little-endian bf16 as a little-endian f32.
pub fn widened([low, high]: [u8; 2]) -> [u8; 4] {
    [0, 0, low, high]
}

/// What the file says of its tensors, and where the first begins; an error unless it holds all of them.
fn header(file: &mut File) -> anyhow::Result<(Metadata, u64)> {
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER {
        bail!("its header would have {length} bytes");
    }
    let mut text = vec![0; usize::try_from(length)?];
    file.read_exact(&mut text)?;
    let header: Metadata = serde_json::from_slice(&text)?;
    let start = 8 + length;
    let (has, wants) = (file.metadata()?.len(), start + header.data_len() as u64);
    if has != wants {
        bail!("it has {has} bytes, not {wants}");
    }
    Ok((header, start))
}

#[cfg(test)]
mod tests {
    use super::widened;

    #[test]
    fn a_bf16_is_the_upper_half_of_an_f32() {
        for (bits, value) in [(0x3f80_u16, 1.0), (0xc040, -3.0), (0x0000, 0.0)] {
            assert_eq!(f32::from_le_bytes(widened(bits.to_le_bytes())).to_bits(), f32::to_bits(value));
        }
    }
}
