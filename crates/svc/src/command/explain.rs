//! `svc explain`: the name of a diagnostic, a rule, a role or a technique in, its page out.

use crate::outcome::Outcome;
use crate::terminal;
use anyhow::bail;
use clap::Args;
use svspec_ir::pages;

/// Explain a diagnostic, a rule, a role or a technique
///
/// What it means, why it matters, an example, and the remedy. Without a name: lists all that can be explained. How
/// the role of a scale vector of your own spec is proved is shown by `svc show roles FILE`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    svc explain                       # the list\n  \
    svc explain decayed-output-scale  # a diagnostic\n  \
    svc explain decay                 # a rule\n  \
    svc explain absorbable            # a property of scale vectors\n  \
    svc explain dnp                   # a technique")]
pub struct Explain {
    /// Such as `heads-not-divisible`, the name in brackets of a finding
    name: Option<String>,
}

/// Prints the page.
pub fn run(args: &Explain) -> anyhow::Result<Outcome> {
    let Some(name) = &args.name else {
        terminal::print(&list())?;
        return Ok(Outcome::Fine);
    };
    match pages::page(name) {
        Some(page) => terminal::print(&format!("{}\n", page.trim_end()))?,
        None => {
            let names = pages::all().map(|(name, _)| name);
            match svspec_diagnostics::did_you_mean(name, names) {
                Some(near) => bail!("there is no page called `{name}`: did you mean `{near}`?"),
                None => bail!("there is no page called `{name}`: `svc explain` lists them all"),
            }
        }
    }
    Ok(Outcome::Fine)
}

fn list() -> String {
    let title = |page: &'static str| page.lines().next().unwrap_or("").trim_start_matches('#').trim();
    let width = pages::all().map(|(name, _)| name.len()).max().unwrap_or(0);
    pages::all().map(|(name, page)| format!("{name:width$}  {}\n", title(page))).collect()
}
