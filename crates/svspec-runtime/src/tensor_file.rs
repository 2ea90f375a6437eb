//! Named tensors in, a safetensors file out, and back: any kind the file format and LibTorch share, on the CPU.

use safetensors::{Dtype, SafeTensorError, SafeTensors, View};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tch::{Kind, Tensor};

/// What a file holds.
#[derive(Debug)]
pub struct TensorFile {
    /// The tensors by name.
    pub tensors: BTreeMap<String, Tensor>,
    /// Its notes: free text by name.
    pub notes: BTreeMap<String, String>,
}

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TensorFileError {
    /// The system refuses.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The system refuses.
    #[error("cannot write `{path}`: {reason}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// It is not what it should be.
    #[error("`{path}` is not a whole safetensors file: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A tensor whose kind has no counterpart.
    #[error("`{name}` in `{path}` is of type {kind}, which cannot be carried over")]
    Kind {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its kind.
        kind: String,
    },
}

/// Writes the file and waits until it is on the disk. The same tensors make the same bytes, which is why there is one note at most: the
/// safetensors crate writes several in any order.
pub fn write(
    path: &Path,
    tensors: &[(String, Tensor)],
    note: Option<(&str, String)>,
) -> Result<(), TensorFileError> {
    let mut views = Vec::new();
    for (name, tensor) in tensors {
        views.push((name.as_str(), HostTensor::new(path, name, tensor)?));
    }
    let note = note.map(|(key, value)| HashMap::from([(key.to_owned(), value)]));
    let failed = |reason: String| TensorFileError::Write { path: path.to_owned(), reason };
    safetensors::serialize_to_file(views, note, path).map_err(|error| failed(reason(&error)))?;
    File::open(path).and_then(|file| file.sync_all()).map_err(|source| failed(source.to_string()))
}

/// Reads a whole file.
pub fn read(path: &Path) -> Result<TensorFile, TensorFileError> {
    let bytes = fs::read(path).map_err(|source| TensorFileError::Read { path: path.to_owned(), source })?;
    let damaged = |error: SafeTensorError| TensorFileError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(damaged)?;
    let notes =
        metadata.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
    let mut tensors = BTreeMap::new();
    for (name, view) in SafeTensors::deserialize(&bytes).map_err(damaged)?.iter() {
        let kind = kind_of(view.dtype()).ok_or_else(|| TensorFileError::Kind {
            path: path.to_owned(),
            name: name.to_owned(),
            kind: format!("{:?}", view.dtype()),
        })?;
        let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
        tensors.insert(name.to_owned(), Tensor::from_data_size(view.data(), &shape, kind));
    }
    Ok(TensorFile { tensors, notes })
}

/// The system's own words where the fault is the system's.
fn reason(error: &SafeTensorError) -> String {
    if let SafeTensorError::IoError(source) = error { source.to_string() } else { error.to_string() }
}

/// A tensor as the safetensors crate wants to see it; its bytes are copied out when they are asked for.
struct HostTensor {
    tensor: Tensor,
    dtype: Dtype,
    shape: Vec<usize>,
}

impl HostTensor {
    fn new(path: &Path, name: &str, tensor: &Tensor) -> Result<Self, TensorFileError> {
        let kind = tensor.kind();
        let dtype = dtype_of(kind).ok_or_else(|| TensorFileError::Kind {
            path: path.to_owned(),
            name: name.to_owned(),
            kind: format!("{kind:?}"),
        })?;
        let shape = tensor.size().iter().map(|&size| size as usize).collect();
        Ok(Self { tensor: tensor.detach(), dtype, shape })
    }
}

impl View for HostTensor {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let host = self.tensor.to_device(tch::Device::Cpu).contiguous();
        let mut bytes = vec![0; self.data_len()];
        host.copy_data_u8(&mut bytes, host.numel());
        bytes.into()
    }

    fn data_len(&self) -> usize {
        self.tensor.numel() * self.tensor.kind().elt_size_in_bytes()
    }
}

const KINDS: [(Dtype, Kind); 7] = [
    (Dtype::BOOL, Kind::Bool),
    (Dtype::U8, Kind::Uint8),
    (Dtype::I64, Kind::Int64),
    (Dtype::F16, Kind::Half),
    (Dtype::BF16, Kind::BFloat16),
    (Dtype::F32, Kind::Float),
    (Dtype::F64, Kind::Double),
];

fn kind_of(dtype: Dtype) -> Option<Kind> {
    KINDS.iter().find(|(known, _)| *known == dtype).map(|(_, kind)| *kind)
}

fn dtype_of(kind: Kind) -> Option<Dtype> {
    KINDS.iter().find(|(_, known)| *known == kind).map(|(dtype, _)| *dtype)
}
