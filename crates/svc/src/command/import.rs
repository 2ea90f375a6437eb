//! `svc import`: a `config.json` of transformers in, a spec that means the same out.

use crate::huggingface;
use crate::outcome::{Faulty, Outcome};
use crate::terminal;
use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::{Map, Value};
use std::io::Write as _;
use std::path::PathBuf;

/// Turn a model's config.json into a spec
///
/// The spec is formatted and commented, with an optimizer and a budget to start from. Every field of the config is
/// either read, or known to say nothing of the function (token ids, dtypes), or named: in an error, or, if it is dropout,
/// in a note and a comment. None is ignored silently.
#[derive(Debug, Args)]
#[command(after_help = format!("Exit codes: 0 done, 1 the config says what a spec cannot, 2 could not run.\n\n\
    Examples:\n  \
    svc import config.json                       # to standard output\n  \
    svc import config.json -o my_model.svspec    # never over another file\n\n\
    Families: {}; `svc export` is the way back.", huggingface::names().join(", ")))]
pub struct Import {
    /// The config
    #[arg(value_name = "CONFIG.json")]
    config: PathBuf,
    /// The model's name in the spec; default: the file's that is written, else the family's
    #[arg(long)]
    name: Option<String>,
    /// Write to this file rather than to standard output
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Reads, translates and writes.
pub fn run(args: &Import) -> anyhow::Result<Outcome> {
    let shown = args.config.display();
    let text = std::fs::read_to_string(&args.config).with_context(|| format!("cannot read `{shown}`"))?;
    let config: Map<String, Value> = serde_json::from_str(&text)
        .with_context(|| format!("`{shown}` is not a config: it holds no JSON object"))?;
    let family = huggingface::model_type(&config)
        .and_then(huggingface::family)
        .with_context(|| format!("cannot import `{shown}`"))?;
    let of_file = args.out.as_ref().and_then(|path| Some(path.file_stem()?.to_string_lossy().into_owned()));
    let is_name = |name: &String| super::new::check_name(name).is_ok();
    let name = match &args.name {
        Some(name) => {
            super::new::check_name(name)?;
            name.clone()
        }
        None => of_file.filter(is_name).unwrap_or_else(|| family.model_type.clone()),
    };
    let spec = huggingface::spec(&family, &name, &config)?;
    if let Err(findings) = huggingface::compile(&spec) {
        return Err(Faulty(format!("error: no model is what `{shown}` says:\n{findings}")).into());
    }
    if let Some(dropouts) = huggingface::dropouts(&family, &config) {
        terminal::note(&format!(
            "the config drops out as it trains ({dropouts}), and a spec's model drops nothing"
        ));
    }
    let Some(path) = &args.out else {
        terminal::print(&spec)?;
        return Ok(Outcome::Fine);
    };
    let mut file = match std::fs::File::create_new(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("`{}` is already there, and is left as it is: choose another name", path.display())
        }
        created => created.with_context(|| format!("cannot write `{}`", path.display()))?,
    };
    file.write_all(spec.as_bytes()).with_context(|| format!("cannot write `{}`", path.display()))?;
    terminal::print(&format!("wrote {}\n", path.display()))?;
    Ok(Outcome::Fine)
}
