//! Names, shapes and a source of entries in; safetensors files of at most a given size in a folder, and the index that
//! transformers finds them by, out.

use crate::terminal;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use safetensors::tensor::{Metadata, TensorInfo};
use serde_json::{Map, json};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use svspec_ir::foreign::ForeignInstance;

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// As the trainer keeps them.
    F32,
    /// Rounded to the nearest, in half the space.
    Bf16,
}

impl Dtype {
    /// As configs call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::Bf16 => "bfloat16",
        }
    }

    fn of_file(self) -> safetensors::Dtype {
        match self {
            Self::F32 => safetensors::Dtype::F32,
            Self::Bf16 => safetensors::Dtype::BF16,
        }
    }

    fn num_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::Bf16 => 2,
        }
    }

    /// 32-bit floats, little-endian, in this form.
    fn bytes(self, entries: &[[u8; 4]]) -> Vec<u8> {
        match self {
            Self::F32 => entries.concat(),
            Self::Bf16 => {
                let round = |entry: &[u8; 4]| half::bf16::from_f32(f32::from_le_bytes(*entry)).to_le_bytes();
                entries.iter().flat_map(round).collect()
            }
        }
    }
}

/// Writes the tensors in their order, one in memory at a time; the number of files. `entries` gives those of a tensor as
/// 32-bit floats.
pub fn write(
    folder: &Path,
    tensors: &[ForeignInstance],
    dtype: Dtype,
    max_bytes: usize,
    mut entries: impl FnMut(&ForeignInstance) -> anyhow::Result<Vec<[u8; 4]>>,
) -> anyhow::Result<usize> {
    let total: usize = tensors.iter().map(|tensor| num_bytes(tensor, dtype)).sum();
    let bar = ProgressBar::new(total as u64);
    bar.set_style(ProgressStyle::with_template(
        "{msg}: {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
    )?);
    let shards = shards(tensors, dtype, max_bytes);
    let mut weight_map = Map::new();
    for (index, shard) in shards.iter().enumerate() {
        let name = match shards.len() {
            1 => "model.safetensors".to_owned(),
            count => format!("model-{:05}-of-{count:05}.safetensors", index + 1),
        };
        if bar.is_hidden() && shards.len() > 1 {
            terminal::note(&format!("writing {name} ({} of {})", index + 1, shards.len()));
        }
        bar.set_message(format!("writing {name}"));
        let path = folder.join(&name);
        write_shard(&path, shard, dtype, |tensor| {
            let entries = entries(tensor)?;
            bar.inc(num_bytes(tensor, dtype) as u64);
            Ok(entries)
        })
        .with_context(|| format!("cannot write `{}`", path.display()))?;
        weight_map.extend(shard.iter().map(|tensor| (tensor.name.clone(), json!(name))));
    }
    bar.finish_and_clear();
    if shards.len() > 1 {
        let index = json!({ "metadata": { "total_size": total }, "weight_map": weight_map });
        let path = folder.join("model.safetensors.index.json");
        let text = serde_json::to_string_pretty(&index).context("an index is plain data")?;
        std::fs::write(&path, text + "\n").with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(shards.len())
}

/// The header is known before any tensor is: their sizes are.
fn write_shard(
    path: &Path,
    tensors: &[ForeignInstance],
    dtype: Dtype,
    mut entries: impl FnMut(&ForeignInstance) -> anyhow::Result<Vec<[u8; 4]>>,
) -> anyhow::Result<()> {
    let mut end = 0;
    let infos = tensors.iter().map(|tensor| {
        let begin = end;
        end += num_bytes(tensor, dtype);
        let info =
            TensorInfo { dtype: dtype.of_file(), shape: tensor.shape.clone(), data_offsets: (begin, end) };
        (tensor.name.clone(), info)
    });
    // transformers asks whose layout it is.
    let note = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let header = Metadata::new(Some(note), infos.collect())?;
    let mut header = serde_json::to_vec(&header)?;
    // Readers want the numbers aligned.
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    for tensor in tensors {
        file.write_all(&dtype.bytes(&entries(tensor)?))?;
    }
    file.into_inner()?.sync_all()?;
    Ok(())
}

fn num_bytes(tensor: &ForeignInstance, dtype: Dtype) -> usize {
    dtype.num_bytes() * tensor.shape.iter().product::<usize>()
}

/// Runs of tensors that fit together; one that is too large by itself stands alone.
fn shards(tensors: &[ForeignInstance], dtype: Dtype, max_bytes: usize) -> Vec<&[ForeignInstance]> {
    let mut shards = Vec::new();
    let mut rest = tensors;
    while !rest.is_empty() {
        let mut sum = 0;
        let fits = |tensor: &&ForeignInstance| {
            sum += num_bytes(tensor, dtype);
            sum <= max_bytes
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (shard, others) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        shards.push(shard);
        rest = others;
    }
    shards
}
