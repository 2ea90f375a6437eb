//! Named tensors to a safetensors file and back; every float is an `f64` here, whatever its kind in the file.

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use svspec_ir::eval::Tensor;

/// The kind of numbers in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `i64`
    I64,
}

/// What the header says of one tensor.
#[derive(Debug, Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

/// Writes each tensor in its kind.
pub fn write(path: &Path, tensors: &[(String, Tensor, Kind)]) -> anyhow::Result<()> {
    let mut header = Map::new();
    let mut data: Vec<u8> = Vec::new();
    for (name, tensor, kind) in tensors {
        let start = data.len();
        let dtype = match kind {
            Kind::F32 => {
                data.extend(tensor.data.iter().flat_map(|&value| (value as f32).to_le_bytes()));
                "F32"
            }
            Kind::F64 => {
                data.extend(tensor.data.iter().flat_map(|value| value.to_le_bytes()));
                "F64"
            }
            Kind::I64 => {
                data.extend(tensor.data.iter().flat_map(|&value| (value as i64).to_le_bytes()));
                "I64"
            }
        };
        let entry = json!({ "dtype": dtype, "shape": tensor.shape, "data_offsets": [start, data.len()] });
        header.insert(name.clone(), entry);
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    // Readers want the numbers aligned.
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend(data);
    Ok(fs::write(path, bytes)?)
}

/// Every tensor of a file, whose floats must be of the kind expected.
pub fn read(path: &Path, expected: Kind) -> anyhow::Result<BTreeMap<String, Tensor>> {
    let bytes = fs::read(path)?;
    let (length, rest) = bytes.split_first_chunk::<8>().context("no header")?;
    let (header, data) =
        rest.split_at_checked(u64::from_le_bytes(*length) as usize).context("short header")?;
    let header: BTreeMap<String, Value> = serde_json::from_slice(header)?;
    let mut tensors = BTreeMap::new();
    for (name, entry) in header.into_iter().filter(|(name, _)| name != "__metadata__") {
        let Entry { dtype, shape, data_offsets: [start, end] } = serde_json::from_value(entry)?;
        let bytes = data.get(start..end).context("short data")?;
        let values: Vec<f64> = match (dtype.as_str(), expected) {
            ("F32", Kind::F32) => {
                bytes.as_chunks::<4>().0.iter().map(|&bytes| f64::from(f32::from_le_bytes(bytes))).collect()
            }
            ("F64", Kind::F64) => {
                bytes.as_chunks::<8>().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect()
            }
            // Token ids, in files that another program wrote.
            ("I64", _) => {
                bytes.as_chunks::<8>().0.iter().map(|&bytes| i64::from_le_bytes(bytes) as f64).collect()
            }
            (other, _) => bail!("`{name}` is {other} where {expected:?} is expected"),
        };
        tensors.insert(name, Tensor::new(shape, values));
    }
    Ok(tensors)
}
