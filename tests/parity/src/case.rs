//! A spec and a reference to a checked model, its weights in our names, and what another implementation computes with them.

use crate::naming::Naming;
use crate::spec::Spec;
use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use svspec_codegen::{Files, Options, SpecSource};
use svspec_generated_tests::tensors::{self, Kind};
use svspec_ir::eval::{Tensor, Values};
use svspec_ir::rewrite::Rewrites;
use svspec_ir::{CheckedModel, Model};

const TECHNIQUES: &str = "techniques";
const TINY: &str = "_tiny";

/// A model in its tiny configuration.
#[derive(Clone, Debug)]
pub struct Case {
    /// That of its reference's folder; the target is `NAME_tiny`.
    pub name: String,
    checked: CheckedModel,
    source: SpecSource,
    /// How the reference names parameters.
    pub naming: Naming,
    /// The weights.
    pub values: Values,
    /// `reference.safetensors`, as `reference.py` says.
    pub reference: BTreeMap<String, Tensor>,
}

/// Every family of transformers with a spec, by name; in a fresh set of references those that it holds.
pub fn families() -> anyhow::Result<Vec<Case>> {
    let folder = "families";
    let mut cases = Vec::new();
    for name in references(folder)? {
        let spec = family_specs().join(&name).join(format!("{name}.svspec"));
        if spec.is_file() {
            let naming = Naming::Foreign(root().join(folder).join(&name));
            cases.push(Case::read(folder, &name, &Spec::read(&spec)?, naming).with_context(|| name)?);
        }
    }
    Ok(cases)
}

/// Every technique, likewise: one spec holds all of them.
pub fn techniques() -> anyhow::Result<Vec<Case>> {
    let (folder, spec) = (TECHNIQUES, technique_spec()?);
    let names = references(folder)?.into_iter();
    names.map(|name| Case::read(folder, &name, &spec, Naming::Own).with_context(|| name)).collect()
}

/// The techniques that the spec names and no committed reference stands for.
pub fn techniques_without_reference() -> anyhow::Result<Vec<String>> {
    let targets = technique_spec()?.targets();
    let names = targets.iter().filter_map(|target| target.strip_suffix(TINY));
    let is_missing = |name: &&str| !committed(TECHNIQUES).join(name).is_dir();
    Ok(names.filter(is_missing).map(str::to_owned).collect())
}

fn technique_spec() -> anyhow::Result<Spec> {
    Spec::read(&committed(TECHNIQUES).join("techniques.svspec"))
}

/// The committed ones, or those that `cargo xtask parity --families` names.
fn family_specs() -> PathBuf {
    std::env::var_os("SVSPEC_PARITY_FAMILIES").map_or_else(|| committed("families"), PathBuf::from)
}

fn committed(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

/// Where `cargo xtask parity` has put fresh references.
fn fresh() -> Option<PathBuf> {
    std::env::var_os("SVSPEC_PARITY_REFERENCES").map(PathBuf::from)
}

/// The folder of all references; the committed ones lie with the specs.
fn root() -> PathBuf {
    fresh().unwrap_or_else(|| committed(""))
}

/// The folders below `folder` that hold a reference; of fresh ones there may be few or none.
fn references(folder: &str) -> anyhow::Result<Vec<String>> {
    let folder = root().join(folder);
    let mut names = Vec::new();
    if fresh().is_some() && !folder.is_dir() {
        return Ok(names);
    }
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.join("reference.safetensors").is_file() {
            names.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    if names.is_empty() {
        bail!("no references in {}", folder.display());
    }
    names.sort();
    Ok(names)
}

impl Case {
    fn read(folder: &str, name: &str, spec: &Spec, naming: Naming) -> anyhow::Result<Self> {
        let (checked, source) = spec.checked(&format!("{name}{TINY}"))?;
        let reference = root().join(folder).join(name);
        let weights = tensors::read(&reference.join("model.safetensors"), Kind::F32)?;
        let reference = tensors::read(&reference.join("reference.safetensors"), Kind::F32)?;
        let values = naming.values(checked.model(), &weights)?;
        Ok(Self { name: name.to_owned(), checked, source, naming, values, reference })
    }

    /// Its spec's file, which lies beside its configuration.
    pub fn file(&self) -> PathBuf {
        family_specs().join(&self.name).join(format!("{}.svspec", self.name))
    }

    /// The folder of the weights that transformers saved; `None` where they have our names.
    pub fn folder(&self) -> Option<&Path> {
        match &self.naming {
            Naming::Own => None,
            Naming::Foreign(folder) => Some(folder),
        }
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

    /// A tensor of the reference.
    pub fn expected(&self, name: &str) -> anyhow::Result<&Tensor> {
        self.reference.get(name).with_context(|| format!("the reference of {} has no `{name}`", self.name))
    }
}
