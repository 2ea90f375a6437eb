//! `svc new`: a name in, a commented starter spec out.

use crate::huggingface;
use crate::outcome::Outcome;
use crate::terminal;
use anyhow::{Context as _, bail};
use clap::Args;
use std::io::Write as _;

/// Write a commented starter spec
///
/// Writes NAME.svspec to the current folder: a small byte-level model with one variant, an optimizer with decay rules
/// by role, and a training budget of a few minutes on a CPU. With --from, the model is of a family that transformers
/// loads, at a small size, so that `svc export` writes what is trained for it.
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:\n  \
    svc new my_model\n  \
    svc new my_model --from qwen3\n  \
    svc train my_model.svspec\n  \
    svc diff my_model.svspec my_model.svspec:my_model_qk\n\n\
    Families: {}", huggingface::names().join(", ")))]
pub struct New {
    /// The model's name: letters, digits and `_`
    name: String,
    /// Start from a family of models that transformers loads, at a small size
    #[arg(long, value_name = "FAMILY")]
    from: Option<String>,
}

/// Writes the file, never over another one.
pub fn run(args: &New) -> anyhow::Result<Outcome> {
    let name = args.name.strip_suffix(".svspec").unwrap_or(&args.name);
    check_name(name)?;
    let text = match &args.from {
        Some(from) => {
            let family = huggingface::family(from)?;
            huggingface::spec(&family, name, &family.small)?
        }
        None => starter(name),
    };
    let path = format!("{name}.svspec");
    let mut file = match std::fs::File::create_new(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("`{path}` is already there, and is left as it is: choose another name")
        }
        created => created.with_context(|| format!("cannot write `{path}`"))?,
    };
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write `{path}`"))?;
    terminal::print(&format!("wrote {path}\n  svc check {path}\n  svc train {path}\n"))?;
    Ok(Outcome::Fine)
}

/// An error unless `name` may be a model's and a file's.
pub fn check_name(name: &str) -> anyhow::Result<()> {
    let mut letters = name.chars();
    let starts_well = letters.next().is_some_and(|first| first.is_ascii_lowercase());
    if !starts_well
        || !letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
    {
        bail!(
            "`{name}` is not a name for a model: write lower-case letters, then digits and `_` too, such as `my_model`"
        );
    }
    Ok(())
}

fn starter(name: &str) -> String {
    include_str!("../../data/starter.svspec").replace("NAME", name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use svspec_diagnostics::{SourceId, Sources};

    #[test]
    fn the_starter_spec_has_no_faults_and_is_formatted() {
        for name in ["m", "a_rather_long_name_for_a_model"] {
            let text = starter(name);
            assert_eq!(crate::command::check::check("starter.svspec", &text, &mut Sources::new()), []);
            let (file, _) = svspec_syntax::parse(SourceId(0), &text);
            assert_eq!(svspec_syntax::format(&file), text);
        }
    }

    #[test]
    fn every_family_has_a_small_spec_without_faults() {
        for family in huggingface::families().unwrap() {
            let text = huggingface::spec(&family, "small", &family.small).unwrap();
            assert_eq!(crate::command::check::check("small.svspec", &text, &mut Sources::new()), []);
            let (file, _) = svspec_syntax::parse(SourceId(0), &text);
            assert_eq!(svspec_syntax::format(&file), text);
            let checked = huggingface::compile(&text).unwrap();
            let spec = svspec_codegen::SpecSource { file_name: "small.svspec".to_owned(), text };
            let options = svspec_codegen::Options { rewrites: svspec_ir::rewrite::Rewrites::default(), spec };
            assert!(svspec_codegen::generate(&checked, &options).is_ok(), "{}", family.model_type);
            let num_params = svspec_ir::cost::cost(checked.model(), checked.assignments()).num_params;
            assert!((500_000..2_000_000).contains(&num_params), "{}: {num_params}", family.model_type);
        }
    }
}
