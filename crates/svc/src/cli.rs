//! The command line: arguments in, exit code out.

use crate::command;
use crate::outcome::{Faulty, Outcome, Stopped};
use crate::terminal;
use clap::{CommandFactory as _, Parser, Subcommand};
use std::process::ExitCode;

/// A compiler for language-model architectures: from a .svspec to a training crate on LibTorch.
#[derive(Debug, Parser)]
#[command(
    name = "svc",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 fine or same, 1 findings or differences, 2 could not run.\n\n\
                  Start with:\n  \
                  svc new my_model\n  \
                  svc check my_model.svspec\n  \
                  svc train my_model.svspec"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(command::new::New),
    Check(command::check::Check),
    Fmt(command::fmt::Fmt),
    Build(command::build::Build),
    Prepare(command::prepare::Prepare),
    Train(command::train::Train),
    Ablate(command::ablate::Ablate),
    Report(command::report::Report),
    Show(command::show::Show),
    Explain(command::explain::Explain),
    Diff(command::diff::Diff),
    Fold(command::fold::Fold),
    Migrate(command::migrate::Migrate),
    Import(command::import::Import),
    Export(command::export::Export),
    Snapshot(command::snapshot::Snapshot),
    Doctor(command::doctor::Doctor),
    Completions(command::completions::Completions),
    #[command(hide = true)]
    Corpus(command::corpus::Corpus),
}

/// Parses the command line, runs the command, and turns what became of it into an exit code.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli.command) {
        Ok(outcome) => outcome.into(),
        Err(error) => report(&error),
    }
}

fn dispatch(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::New(new) => command::new::run(&new),
        Command::Check(check) => command::check::run(&check),
        Command::Fmt(fmt) => command::fmt::run(&fmt),
        Command::Build(build) => command::build::run(&build),
        Command::Prepare(prepare) => command::prepare::run(&prepare),
        Command::Train(train) => command::train::run(&train),
        Command::Ablate(ablate) => command::ablate::run(&ablate),
        Command::Report(report) => command::report::run(&report),
        Command::Show(show) => command::show::run(&show),
        Command::Explain(explain) => command::explain::run(&explain),
        Command::Diff(diff) => command::diff::run(&diff),
        Command::Fold(fold) => command::fold::run(&fold),
        Command::Migrate(migrate) => command::migrate::run(&migrate),
        Command::Import(import) => command::import::run(&import),
        Command::Export(export) => command::export::run(&export),
        Command::Snapshot(snapshot) => command::snapshot::run(&snapshot),
        Command::Doctor(doctor) => command::doctor::run(&doctor),
        Command::Corpus(corpus) => command::corpus::run(&corpus),
        Command::Completions(completions) => command::completions::run(&completions, &mut Cli::command()),
    }
}

fn report(error: &anyhow::Error) -> ExitCode {
    if let Some(Faulty(findings)) = error.downcast_ref() {
        terminal::note(findings.trim_end());
        return ExitCode::from(1);
    }
    if let Some(stopped) = error.downcast_ref::<Stopped>() {
        terminal::note(&stopped.to_string());
        return Outcome::Interrupted.into();
    }
    terminal::note(&format!("error: {error:#}"));
    ExitCode::from(2)
}
