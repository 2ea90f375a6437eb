//! A generated program's `evaluate`: parameters and tokens in; logits, loss and gradients out.

use crate::crates::Crates;
use crate::tensors::{self, Kind};
use std::collections::BTreeMap;
use std::path::Path;
use svspec_ir::Model;
use svspec_ir::eval::{Tensor, Values};

/// What goes in besides the parameters.
#[derive(Clone, Debug)]
pub struct Batch {
    /// `[batch, time]`
    pub tokens: Tensor,
    /// `[batch, time]`
    pub targets: Tensor,
}

/// Runs the program called after `model` on `values` in `kind`; the results by the names that the runtime gives them.
pub fn evaluate(
    crates: &Crates,
    scratch: &Path,
    model: &Model,
    values: &Values,
    batch: &Batch,
    kind: Kind,
) -> anyhow::Result<BTreeMap<String, Tensor>> {
    let mut inputs: Vec<(String, Tensor, Kind)> = values
        .iter()
        .map(|(&instance, value)| (model.instance_name(instance), value.clone(), kind))
        .collect();
    inputs.push(("tokens".to_owned(), batch.tokens.clone(), Kind::I64));
    inputs.push(("targets".to_owned(), batch.targets.clone(), Kind::I64));
    let file = |end: &str| scratch.join(format!("{}_{kind:?}_{end}.safetensors", model.name));
    let (input, output) = (file("in"), file("out"));
    tensors::write(&input, &inputs)?;
    crates.run(&model.name, &[Path::new("evaluate"), &input, &output])?;
    tensors::read(&output, kind)
}

/// Runs it on the f64 parameters that `folder` holds in `model.safetensors`, as other software names them.
pub fn evaluate_from(
    crates: &Crates,
    folder: &Path,
    model: &Model,
    batch: &Batch,
) -> anyhow::Result<BTreeMap<String, Tensor>> {
    let inputs = [
        ("tokens".to_owned(), batch.tokens.clone(), Kind::I64),
        ("targets".to_owned(), batch.targets.clone(), Kind::I64),
    ];
    let (input, output) = (folder.join("in.safetensors"), folder.join("out.safetensors"));
    tensors::write(&input, &inputs)?;
    crates.run(&model.name, &[Path::new("evaluate"), Path::new("--from"), folder, &input, &output])?;
    tensors::read(&output, Kind::F64)
}
