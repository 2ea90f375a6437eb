//! Parameters and a file of batches in, a file of losses out: the first steps of training, on given tokens, as another
//! implementation of model and optimizer can take them too.

use crate::device;
use crate::ffi::TorchError;
use crate::foreign::{self, ForeignError};
use crate::health;
use crate::model::Model;
use crate::optimizer::Optimizer;
use crate::params::{Params, ParamsError};
use crate::precision;
use crate::tensor_file::{self, TensorFileError};
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor};

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum TrajectoryError {
    /// A file is at fault.
    #[error(transparent)]
    File(#[from] TensorFileError),
    /// The folder of foreign parameters is.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    /// It does not hold the model's parameters.
    #[error("`{path}`: {source}")]
    Params {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: ParamsError,
    },
    /// It holds no tokens or targets.
    #[error("`{path}` needs `{name}`, i64, of shape [steps, sequences, tokens]")]
    Tokens {
        /// The file.
        path: PathBuf,
        /// `tokens` or `targets`.
        name: &'static str,
    },
    /// LibTorch refuses.
    #[error(transparent)]
    Torch(#[from] TorchError),
}

/// Reads from `input` as many batches as steps are taken, of the spec's schedule in so many steps, and parameters, unless
/// there is a folder `from` in which other software has saved them. Writes to `output` the `losses` of each batch before
/// its step.
pub fn trajectory<M: Model>(
    device: Device,
    from: Option<&Path>,
    input: &Path,
    output: &Path,
) -> Result<(), TrajectoryError> {
    device::prepare(device)?;
    let mut tensors = tensor_file::read(input)?.tensors;
    let mut ids = |name: &'static str| {
        let found = tensors.remove(name).filter(|ids| ids.kind() == Kind::Int64 && ids.dim() == 3);
        found.map(|ids| ids.to_device(device)).ok_or(TrajectoryError::Tokens { path: input.to_owned(), name })
    };
    let (tokens_sbt, targets_sbt) = (ids("tokens")?, ids("targets")?);
    if tokens_sbt.size() != targets_sbt.size() {
        return Err(TrajectoryError::Tokens { path: input.to_owned(), name: "targets" });
    }
    let params = match from {
        Some(folder) => foreign::load(M::SPEC, M::FOREIGN, folder, device)?,
        None => Params::take(M::SPEC, &mut tensors, device)
            .map_err(|source| TrajectoryError::Params { path: input.to_owned(), source })?,
    };
    let model = M::new(&params);
    let mut optimizer = Optimizer::new(M::SPEC, &params);
    let steps = tokens_sbt.size().first().map_or(0, |steps| steps.unsigned_abs());
    let training = M::SPEC.training.with_steps(steps);
    let no_skip = health::no_skip(device);
    let mut losses = Vec::new();
    for step in 0..steps {
        let (tokens_bt, targets_bt) =
            (tokens_sbt.get(step.cast_signed()), targets_sbt.get(step.cast_signed()));
        let found = precision::run(training.precision, device, || model.losses(&tokens_bt, &targets_bt))?;
        let gradients = params.gradients(&found.total());
        let _norm = optimizer.step(&gradients, training.factors(step))?;
        found.loads.iter().for_each(|load| load.correct(&no_skip));
        losses.push(found.cross_entropy.double_value(&[]));
    }
    tensor_file::write(output, &[("losses".to_owned(), Tensor::from_slice(&losses))], None)?;
    Ok(())
}
