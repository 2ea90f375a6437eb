//! A folder as other software saves models in, the tensors of its safetensors files out.

use crate::tensor_file::{self, TensorFileError};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tch::Tensor;

/// All tensors in one file.
const WHOLE: &str = "model.safetensors";
/// Which file holds which tensor, where there are several.
const INDEX: &str = "model.safetensors.index.json";

/// Why there are no tensors.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// Neither of the files is there.
    #[error("`{0}` holds neither `{WHOLE}` nor `{INDEX}`")]
    None(PathBuf),
    /// The index cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The index is not one.
    #[error("`{path}` is not an index of tensors: {source}")]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The index names a file outside the folder.
    #[error("`{path}` names the file `{file}`, which is not in its folder")]
    Outside {
        /// The index.
        path: PathBuf,
        /// The file.
        file: String,
    },
    /// A file is at fault.
    #[error(transparent)]
    File(#[from] TensorFileError),
}

/// What is read of an index.
#[derive(Debug, Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// Every tensor in the folder's files, by name.
pub fn read(folder: &Path) -> Result<BTreeMap<String, Tensor>, FilesError> {
    let (whole, index) = (folder.join(WHOLE), folder.join(INDEX));
    if whole.is_file() {
        return Ok(tensor_file::read(&whole)?.tensors);
    }
    if !index.is_file() {
        return Err(FilesError::None(folder.to_owned()));
    }
    let text =
        fs::read_to_string(&index).map_err(|source| FilesError::Read { path: index.clone(), source })?;
    let parsed: Index =
        serde_json::from_str(&text).map_err(|source| FilesError::Index { path: index.clone(), source })?;
    let files: BTreeSet<String> = parsed.weight_map.into_values().collect();
    let mut tensors = BTreeMap::new();
    for file in files {
        if file.contains(['/', '\\']) || file == ".." {
            return Err(FilesError::Outside { path: index, file });
        }
        tensors.extend(tensor_file::read(&folder.join(file))?.tensors);
    }
    Ok(tensors)
}
