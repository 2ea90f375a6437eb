//! Models that are exported, and as what: those of `exports/`, whose scale vectors fold, and families' own.

use crate::case::Case;
use crate::spec::Spec;
use anyhow::{Context as _, bail};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use svspec_codegen::{Files, Options, SpecSource};
use svspec_ir::rewrite::Rewrites;
use svspec_ir::{CheckedModel, Model};

/// The targets of the spec in `exports/`, and the family that each is of once its vectors are folded.
const FAMILIES: [(&str, &str); 13] = [
    ("plain", "llama"),
    ("hg", "llama"),
    ("dp", "llama"),
    ("dp_or", "llama"),
    ("dp_er", "llama"),
    ("shared", "llama"),
    ("qk", "qwen3"),
    ("biased", "qwen2"),
    ("learned", "gpt2"),
    ("scaled", "gemma"),
    ("sparse", "mixtral"),
    ("windowed", "qwen2"),
    ("stretched", "llama"),
];

/// A model and the family that it is exported as.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The model's name in its spec.
    pub target: String,
    /// What configs call the family.
    pub family: String,
    /// The spec's file.
    pub file: PathBuf,
    checked: CheckedModel,
    source: SpecSource,
}

impl Exported {
    /// The model `target` of the spec in `file`.
    pub fn read(file: &Path, target: &str, family: &str) -> anyhow::Result<Self> {
        let (checked, source) = Spec::read(file)?.checked(target)?;
        Ok(Self {
            target: target.to_owned(),
            family: family.to_owned(),
            file: file.to_owned(),
            checked,
            source,
        })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        self.checked.model()
    }

    /// Its crate.
    pub fn files(&self) -> anyhow::Result<Files> {
        let options = Options { rewrites: Rewrites::default(), spec: self.source.clone() };
        svspec_codegen::generate(&self.checked, &options).with_context(|| self.target.clone())
    }
}

/// The models with vectors that fold.
pub fn folding() -> anyhow::Result<Vec<Exported>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("exports/folding.svspec");
    let unlisted: Vec<String> = Spec::read(&file)?
        .targets()
        .into_iter()
        .filter(|target| !FAMILIES.iter().any(|(known, _)| known == target))
        .collect();
    if !unlisted.is_empty() {
        bail!("which family are {unlisted:?} of?");
    }
    FAMILIES.iter().map(|(target, family)| Exported::read(&file, target, family)).collect()
}

/// What of a `config.json` says the family.
#[derive(Deserialize)]
struct Config {
    model_type: String,
}

/// What configs call the family of a case, if `svc` knows it.
pub fn family_of(case: &Case) -> anyhow::Result<Option<String>> {
    let path = case.file().with_file_name("config.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let config: Config = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    Ok(families()?.into_iter().find(|family| *family == config.model_type))
}

/// What configs call the families that `svc` knows.
pub fn families() -> anyhow::Result<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates/families");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some((family, "json")) = name.split_once('.') {
            names.push(family.to_owned());
        }
    }
    names.sort();
    Ok(names)
}
