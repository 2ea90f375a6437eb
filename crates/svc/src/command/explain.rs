//! `svc explain`: the name of a diagnostic, a rule, a role, a technique or a scale vector in, what there is to know of
//! it out.

use crate::outcome::Outcome;
use crate::read::Origin;
use crate::spec::Spec;
use crate::terminal;
use anyhow::bail;
use clap::Args;
use svspec_ir::pages;
use svspec_ir::print::roles::{self, RoleView};

/// Explain a diagnostic, a rule, a role, a technique, or a scale vector of a spec
///
/// What it means, why it matters, an example, and the remedy. Without a name: lists all that can be explained. With a
/// spec, NAME is one of its scale vectors, and the answer is the proof of its role and of where it folds.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    svc explain                                     # the list\n  \
    svc explain decayed-output-scale                # a diagnostic\n  \
    svc explain decay                               # a rule\n  \
    svc explain absorbable                          # a property of scale vectors\n  \
    svc explain dnp                                 # a technique\n  \
    svc explain peri                                # a placement\n  \
    svc explain attn_norm.scale specs/nano.svspec   # a scale vector")]
pub struct Explain {
    /// Such as `heads-not-divisible`, the name in brackets of a finding
    name: Option<String>,
    /// The spec that has the scale vector NAME
    file: Option<String>,
    /// The model or variant; default: the file's first model
    #[arg(long, value_name = "NAME", requires = "file")]
    variant: Option<String>,
}

/// Prints the page, the list of pages, or the proof.
pub fn run(args: &Explain) -> anyhow::Result<Outcome> {
    match (&args.name, &args.file) {
        (None, _) => terminal::print(&list())?,
        (Some(name), None) => terminal::print(&format!("{}\n", page(name)?.trim()))?,
        (Some(name), Some(file)) => {
            let spec = Spec::open(&Origin::Disk, file)?;
            let checked = spec.compile(&spec.target(args.variant.as_deref())?)?;
            terminal::print(&proof(name, &roles::view(&checked).scales)?)?;
        }
    }
    Ok(Outcome::Fine)
}

fn page(name: &str) -> anyhow::Result<String> {
    let page = pages::page(name).map(str::to_owned).or_else(|| pages::section(name));
    if let Some(page) = page {
        return Ok(page);
    }
    let sections: Vec<String> = pages::sections().map(|(name, _)| name).collect();
    let names = pages::all().map(|(name, _)| name).chain(sections.iter().map(String::as_str));
    match svspec_diagnostics::did_you_mean(name, names) {
        Some(near) => bail!("there is no page called `{name}`: did you mean `{near}`?"),
        None => bail!("there is no page called `{name}`: `svc explain` lists them all"),
    }
}

fn list() -> String {
    let title = |page: &'static str| page.lines().next().unwrap_or("").trim_start_matches('#').trim();
    let pages = pages::all().map(|(name, page)| (name.to_owned(), page));
    // A technique may have a page and a section.
    let sections = pages::sections().filter(|(name, _)| pages::page(name).is_none());
    let all: Vec<(String, &str)> = pages.chain(sections).collect();
    let width = all.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: Vec<String> =
        all.iter().map(|(name, page)| format!("{name:width$}  {}\n", title(page))).collect();
    lines.concat()
}

fn proof(name: &str, scales: &[RoleView]) -> anyhow::Result<String> {
    let Some(scale) = scales.iter().find(|scale| scale.path == name) else {
        match svspec_diagnostics::did_you_mean(name, scales.iter().map(|scale| scale.path.as_str())) {
            Some(near) => bail!("there is no scale vector `{name}`: did you mean `{near}`?"),
            None => bail!("there is no scale vector `{name}`: `svc show roles` lists them"),
        }
    };
    let steps =
        |steps: &[String]| steps.iter().flat_map(|step| ["  ", step, "\n"]).collect::<Vec<_>>().concat();
    Ok(format!(
        "`{name}` has role {}:\n{}\nfolds: {}\n{}",
        roles::role(scale.role),
        steps(&scale.role_proof),
        scale.absorption,
        steps(&scale.absorption_proof)
    ))
}
