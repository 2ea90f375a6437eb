//! A family's folder and its reference to a checked model, its weights in our names, and what transformers computes.

use crate::spec;
use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use svspec_codegen::{Files, Options, SpecSource};
use svspec_generated_tests::tensors::{self, Kind};
use svspec_ir::eval::{Tensor, Values};
use svspec_ir::foreign::Piece;
use svspec_ir::rewrite::Rewrites;
use svspec_ir::{CheckedModel, ForeignInstance, Model, dim};

/// A family in its tiny configuration.
#[derive(Clone, Debug)]
pub struct Case {
    /// That of its folder; the target is `NAME_tiny`.
    pub name: String,
    checked: CheckedModel,
    source: SpecSource,
    /// The weights that transformers saved.
    pub values: Values,
    /// `reference.safetensors`, as `reference.py` says.
    pub reference: BTreeMap<String, Tensor>,
}

/// The folder of all families: the committed ones, or those that `cargo xtask parity --families` names.
pub fn families() -> PathBuf {
    let committed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("families");
    std::env::var_os("SVSPEC_PARITY_FAMILIES").map_or_else(committed, PathBuf::from)
}

/// The folder of their references: the committed ones lie with the families, fresh ones where `cargo xtask parity` says.
pub fn references() -> PathBuf {
    std::env::var_os("SVSPEC_PARITY_REFERENCES").map_or_else(families, PathBuf::from)
}

/// Every family with a spec, by name; in a fresh set of references those that it holds.
pub fn all() -> anyhow::Result<Vec<Case>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(families())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if families().join(&name).join(format!("{name}.svspec")).is_file()
            && references().join(&name).is_dir()
        {
            names.push(name);
        }
    }
    names.sort();
    names.iter().map(|name| Case::read(name).with_context(|| name.clone())).collect()
}

impl Case {
    fn read(name: &str) -> anyhow::Result<Self> {
        let spec = families().join(name).join(format!("{name}.svspec"));
        let (checked, source) = spec::checked(&spec, &format!("{name}_tiny"))?;
        let unnamed = checked.model().without_foreign_name();
        if !unnamed.is_empty() {
            bail!("no foreign name: {}", unnamed.join(", "));
        }
        let folder = references().join(name);
        let weights = tensors::read(&folder.join("model.safetensors"), Kind::F32)?;
        let reference = tensors::read(&folder.join("reference.safetensors"), Kind::F32)?;
        let values = values(checked.model(), &weights)?;
        Ok(Self { name: name.to_owned(), checked, source, values, reference })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        self.checked.model()
    }

    /// Its crate.
    pub fn files(&self) -> anyhow::Result<Files> {
        let options = Options { rewrites: Rewrites::default(), spec: self.source.clone() };
        svspec_codegen::generate(&self.checked, &options).with_context(|| self.name.clone())
    }

    /// The folder of the weights, as transformers saved them.
    pub fn folder(&self) -> PathBuf {
        references().join(&self.name)
    }

    /// A tensor of the reference.
    pub fn expected(&self, name: &str) -> anyhow::Result<&Tensor> {
        self.reference.get(name).with_context(|| format!("the reference of {} has no `{name}`", self.name))
    }
}

/// Foreign weights in our names and layout. None may be missing and none left over.
fn values(model: &Model, weights: &BTreeMap<String, Tensor>) -> anyhow::Result<Values> {
    let mut values = Values::new();
    let instances = model.foreign_instances();
    for foreign in &instances {
        let weight = weights.get(&foreign.name).with_context(|| format!("no tensor `{}`", foreign.name))?;
        if weight.shape != foreign.shape {
            bail!("`{}` is {:?} and should be {:?}", foreign.name, weight.shape, foreign.shape);
        }
        let pieces = foreign.split(&weight.data).context("as many values as the shape says")?;
        for (piece, data) in foreign.pieces.iter().zip(pieces) {
            let param = model.params.get(piece.instance.param.0).context("a parameter of the model")?;
            let shape: Vec<usize> = param.dims.iter().map(|dim| dim.size).collect();
            let value = values.entry(piece.instance).or_insert_with(|| Tensor::zeros(&shape));
            let start = piece.expert.unwrap_or(0) * data.len();
            value.data.get_mut(start..start + data.len()).context("a slice of it")?.copy_from_slice(&data);
        }
    }
    let known: Vec<&str> = instances.iter().map(|foreign| foreign.name.as_str()).collect();
    let surplus: Vec<&String> = weights.keys().filter(|name| !known.contains(&name.as_str())).collect();
    if !surplus.is_empty() {
        bail!("the spec does not know {surplus:?}");
    }
    Ok(values)
}

/// The gradients of our parameters as those of foreign tensors; one that nothing depends on is 0.
pub fn foreign_gradients(model: &Model, gradients: &Values) -> anyhow::Result<BTreeMap<String, Vec<f64>>> {
    let piece = |piece: &Piece| -> anyhow::Result<Vec<f64>> {
        let param = model.params.get(piece.instance.param.0).context("a parameter of the model")?;
        let size = dim::num_elements(&param.dims);
        let all =
            gradients.get(&piece.instance).map_or_else(|| vec![0.0; size], |tensor| tensor.data.clone());
        let Some(expert) = piece.expert else { return Ok(all) };
        let experts = param.dims.first().context("experts are a dimension")?.size;
        Ok(all.chunks(size / experts).nth(expert).context("one of them")?.to_vec())
    };
    let of = |foreign: ForeignInstance| -> anyhow::Result<(String, Vec<f64>)> {
        let pieces = foreign.pieces.iter().map(piece).collect::<anyhow::Result<Vec<_>>>()?;
        let values = foreign.join(&pieces, 0.0).context("as many values as the shape says")?;
        Ok((foreign.name, values))
    };
    model.foreign_instances().into_iter().map(of).collect()
}
