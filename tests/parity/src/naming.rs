//! Tensors under the names of a reference to those of a model, and back.

use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::path::PathBuf;
use svspec_ir::eval::{Tensor, Values};
use svspec_ir::foreign::Piece;
use svspec_ir::{ForeignInstance, Instance, Model, Param, dim};

/// How a reference names and lays out parameters.
#[derive(Clone, Debug)]
pub enum Naming {
    /// As the model does.
    Own,
    /// As transformers does; a trainer reads the weights in this folder.
    Foreign(PathBuf),
}

impl Naming {
    /// The reference's weights as values of `model`. None may be missing and none left over.
    pub fn values(&self, model: &Model, weights: &BTreeMap<String, Tensor>) -> anyhow::Result<Values> {
        let (values, known) = match self {
            Self::Own => own_values(model, weights)?,
            Self::Foreign(_) => foreign_values(model, weights)?,
        };
        let is_ignored =
            |name: &str| model.foreign.ignored.iter().any(|pattern| pattern.matches(name, model.stack.len()));
        let is_surplus = |name: &&String| !known.contains(*name) && !is_ignored(name);
        let surplus: Vec<&String> = weights.keys().filter(is_surplus).collect();
        if !surplus.is_empty() {
            bail!("the spec does not know {surplus:?}");
        }
        Ok(values)
    }

    /// The gradients of the model's parameters under the reference's names; one that nothing depends on is 0.
    pub fn gradients(&self, model: &Model, gradients: &Values) -> anyhow::Result<BTreeMap<String, Vec<f64>>> {
        match self {
            Self::Own => model
                .instances()
                .into_iter()
                .map(|instance| Ok((model.instance_name(instance), gradient(model, gradients, instance)?)))
                .collect(),
            Self::Foreign(_) => {
                let laid_out = |foreign| lay_out(model, gradients, foreign);
                model.foreign_instances().into_iter().map(laid_out).collect()
            }
        }
    }
}

fn own_values(model: &Model, weights: &BTreeMap<String, Tensor>) -> anyhow::Result<(Values, Vec<String>)> {
    let (mut values, mut known) = (Values::new(), Vec::new());
    for instance in model.instances() {
        let name = model.instance_name(instance);
        let weight = weight(weights, &name, &dim::sizes(&param(model, instance)?.dims))?;
        values.insert(instance, weight.clone());
        known.push(name);
    }
    Ok((values, known))
}

fn foreign_values(
    model: &Model,
    weights: &BTreeMap<String, Tensor>,
) -> anyhow::Result<(Values, Vec<String>)> {
    let mut values = Values::new();
    let instances = model.foreign_instances();
    for foreign in &instances {
        let weight = weights.get(&foreign.name).with_context(|| format!("no tensor `{}`", foreign.name))?;
        let are_vectors = foreign.shape.len() == 1;
        let is_of_size = weight.data.len() == foreign.shape.iter().product::<usize>();
        if !(are_vectors && is_of_size) && without_ones(&weight.shape) != without_ones(&foreign.shape) {
            bail!("`{}` is {:?} and should be {:?}", foreign.name, weight.shape, foreign.shape);
        }
        let pieces = foreign.split(&weight.data).context("as many values as the shape says")?;
        for (piece, data) in foreign.pieces.iter().zip(pieces) {
            let shape = dim::sizes(&param(model, piece.instance)?.dims);
            let value = values.entry(piece.instance).or_insert_with(|| Tensor::zeros(&shape));
            let start = piece.slice.unwrap_or(0) * data.len();
            value.data.get_mut(start..start + data.len()).context("a slice of it")?.copy_from_slice(&data);
        }
    }
    Ok((values, instances.into_iter().map(|foreign| foreign.name).collect()))
}

fn weight<'a>(
    weights: &'a BTreeMap<String, Tensor>,
    name: &str,
    shape: &[usize],
) -> anyhow::Result<&'a Tensor> {
    let weight = weights.get(name).with_context(|| format!("no tensor `{name}`"))?;
    if weight.shape != shape {
        bail!("`{name}` is {:?} and should be {shape:?}", weight.shape);
    }
    Ok(weight)
}

/// A dimension of 1 is no matter to a trainer, nor is the shape of vectors' entries.
fn without_ones(shape: &[usize]) -> Vec<usize> {
    shape.iter().copied().filter(|&size| size != 1).collect()
}

fn param(model: &Model, instance: Instance) -> anyhow::Result<&Param> {
    model.params.get(instance.param.0).context("a parameter of the model")
}

fn gradient(model: &Model, gradients: &Values, instance: Instance) -> anyhow::Result<Vec<f64>> {
    let size = dim::num_elements(&param(model, instance)?.dims);
    Ok(gradients.get(&instance).map_or_else(|| vec![0.0; size], |tensor| tensor.data.clone()))
}

fn lay_out(
    model: &Model,
    gradients: &Values,
    foreign: ForeignInstance,
) -> anyhow::Result<(String, Vec<f64>)> {
    let piece = |piece: &Piece| -> anyhow::Result<Vec<f64>> {
        let all = gradient(model, gradients, piece.instance)?;
        let Some(expert) = piece.slice else { return Ok(all) };
        let experts = param(model, piece.instance)?.dims.first().context("experts are a dimension")?.size;
        Ok(all.chunks(all.len() / experts).nth(expert).context("one of them")?.to_vec())
    };
    let pieces = foreign.pieces.iter().map(piece).collect::<anyhow::Result<Vec<_>>>()?;
    let values = foreign.join(&pieces, 0.0).context("as many values as the shape says")?;
    Ok((foreign.name, values))
}
