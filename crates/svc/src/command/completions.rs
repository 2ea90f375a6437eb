//! `svc completions`: a shell's name in, its completion script out.

use crate::outcome::Outcome;
use crate::terminal;
use clap::Args;

/// Print the completion script of a shell
///
/// Put the script where the shell looks for it, once:
///
///   svc completions bash > ~/.local/share/bash-completion/completions/svc
///   svc completions zsh  > ~/.zfunc/_svc
///   svc completions fish > ~/.config/fish/completions/svc.fish
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Completions {
    /// The shell
    shell: clap_complete::Shell,
}

/// Prints the script for the whole command line `command`.
pub fn run(args: &Completions, command: &mut clap::Command) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "svc", &mut script);
    terminal::print(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Fine)
}
