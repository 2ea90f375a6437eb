//! A file of parameters, tokens and targets in, a file of logits, loss and gradients out: the door through which a generated model is
//! compared with another implementation of it, in the kind of the parameters given, f64 included.

use crate::device;
use crate::ffi::TorchError;
use crate::foreign::{self, ForeignError};
use crate::model::Model;
use crate::params::{Params, ParamsError};
use crate::tensor_file::{self, TensorFileError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor};

/// Why there was no comparison.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// A file is at fault.
    #[error(transparent)]
    File(#[from] TensorFileError),
    /// The folder of foreign parameters is.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    /// LibTorch refuses.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// It does not hold the model's parameters.
    #[error("`{path}`: {source}")]
    Params {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: ParamsError,
    },
    /// It holds no tokens or targets.
    #[error("`{path}` needs `{name}`, i64, of shape [sequences, tokens]")]
    Tokens {
        /// The file.
        path: PathBuf,
        /// `tokens` or `targets`.
        name: &'static str,
    },
    /// It holds something else besides.
    #[error("`{path}` holds `{name}`, which the model does not have")]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },
}

/// Reads `input` and writes `output`: `logits`, `loss`, `side.NAME` for every loss beside the cross-entropy, and `grad.NAME`, of
/// all that is minimised, for every parameter. Parameters come from `input`,
/// or, if there is a folder `from`, as other software saves them there; then there is also `foreign_grad.NAME`, the
/// gradient of every tensor in it.
pub fn evaluate<M: Model>(
    device: Device,
    from: Option<&Path>,
    input: &Path,
    output: &Path,
) -> Result<(), EvaluateError> {
    device::prepare(device)?;
    let mut tensors = tensor_file::read(input)?.tensors;
    let path = || input.to_owned();
    let mut ids = |name: &'static str| {
        let found = tensors.remove(name).filter(|ids| ids.kind() == Kind::Int64 && ids.dim() == 2);
        found.map(|ids| ids.to_device(device)).ok_or(EvaluateError::Tokens { path: path(), name })
    };
    let (tokens_bt, targets_bt) = (ids("tokens")?, ids("targets")?);
    let params = match from {
        Some(folder) => foreign::load(M::SPEC, M::FOREIGN, folder, device)?,
        None => Params::take(M::SPEC, &mut tensors, device)
            .map_err(|source| EvaluateError::Params { path: path(), source })?,
    };
    if let Some((name, _)) = tensors.pop_first() {
        return Err(EvaluateError::Unknown { path: path(), name });
    }
    let model = M::new(&params);
    let logits = tch::no_grad(|| model.logits(&tokens_bt));
    let losses = model.losses(&tokens_bt, &targets_bt);
    let names = params.iter().map(|param| param.name.clone());
    let gradients: BTreeMap<String, Tensor> = names.zip(params.gradients(&losses.total())).collect();
    let mut results = vec![("logits".to_owned(), logits), ("loss".to_owned(), losses.cross_entropy)];
    results.extend(losses.side.into_iter().map(|side| (format!("side.{}", side.name), side.value)));
    if from.is_some() {
        let laid_out = foreign::lay_out(M::FOREIGN, &gradients).into_iter();
        results.extend(laid_out.map(|(name, gradient)| (format!("foreign_grad.{name}"), gradient)));
    }
    results.extend(gradients.into_iter().map(|(name, gradient)| (format!("grad.{name}"), gradient)));
    tensor_file::write(output, &results, None)?;
    Ok(())
}
