//! One target of a spec to the files of its training crate, and those to a folder.

use crate::manifest::{self, Consent, Plan};
use crate::spec::Spec;
use anyhow::Context as _;
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use svspec_codegen::{Options, SpecSource};
use svspec_ir::CheckedModel;
use svspec_ir::rewrite::{Rewrite, Rewrites};

/// Which target of a spec, and which rewrites: the arguments that all commands which generate code share.
#[derive(Clone, Debug, Default, Args)]
pub struct Target {
    /// The model or variant; default: the file's first model
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// Leave out a rewrite: share_normalize, move_scale_to_weights or fuse_projections
    #[arg(long, value_name = "REWRITE")]
    pub without: Vec<Rewrite>,
}

impl Target {
    /// The same rewrites, of the target `name`.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        Self { variant: Some(name.to_owned()), ..self.clone() }
    }

    /// The rewrites that are left.
    pub fn rewrites(&self) -> Rewrites {
        self.without.iter().fold(Rewrites::default(), |rewrites, &rewrite| rewrites.without(rewrite))
    }
}

/// A generated crate, in memory.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The target's name, also that of the package and its binary.
    pub name: String,
    /// The model that it was generated from.
    pub checked: CheckedModel,
    /// Path within the crate to text.
    pub files: BTreeMap<String, String>,
}

/// Generates the crate of one target of `spec`.
pub fn generate(spec: &Spec, target: &Target) -> anyhow::Result<Generated> {
    generate_as(spec, target, SpecSource { file_name: spec.file_name(), text: spec.whole_text() })
}

/// The same, with the name and text of `source` in the crate's headers, so that two crates differ in nothing but code.
pub fn generate_as(spec: &Spec, target: &Target, source: SpecSource) -> anyhow::Result<Generated> {
    let name = spec.target(target.variant.as_deref())?;
    let checked = spec.compile(&name)?;
    let options = Options { rewrites: target.rewrites(), spec: source };
    let files = svspec_codegen::generate(&checked, &options)
        .with_context(|| format!("cannot generate the crate of `{name}`"))?;
    let files = files.iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    Ok(Generated { name, checked, files })
}

impl Generated {
    /// The folder that the crate goes to unless the user names one.
    pub fn default_folder(&self) -> PathBuf {
        Path::new("build").join(&self.name)
    }

    /// What writing the crate to `folder` would do.
    pub fn plan(&self, folder: &Path) -> anyhow::Result<Plan<'_>> {
        manifest::plan(folder, &self.files)
    }

    /// Writes the crate to `folder`, and says how many of its files had to be written.
    pub fn write(&self, folder: &Path, consent: Consent) -> anyhow::Result<usize> {
        self.plan(folder)?.apply(consent)
    }
}
