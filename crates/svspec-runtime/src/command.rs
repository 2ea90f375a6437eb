//! A command line in, an exit code out: what every generated trainer's `main` does.

use crate::corpus::held_out::Named;
use crate::device::{self, Choice, NoCuda};
use crate::dist::{self, LaunchError, PATIENCE, Place, SpawnError, Spawned};
use crate::evaluate::{self, EvaluateError};
use crate::model::Model;
use crate::observation::Observation;
use crate::openmp;
use crate::progress::Verbosity;
use crate::run::{self, Options, RunError};
use crate::signal;
use crate::spec::{OptimizerState, Spec};
use crate::train::{self, Ending};
use crate::trajectory::{self, TrajectoryError};
use std::any::Any;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

/// The command could not run.
const COULD_NOT_RUN: u8 = 2;
/// The loss or a gradient was no number any more.
const DIVERGED: u8 = 3;
/// As shells report a program that SIGINT ended.
const INTERRUPTED: u8 = 130;

/// What a command line asks for.
#[derive(Debug)]
enum Command {
    Help,
    Train(Box<Options>),
    /// Train in so many processes, each of this program with these arguments.
    Spawn {
        nproc: usize,
        arguments: Vec<OsString>,
        timeout: Duration,
    },
    Evaluate(Files),
    Trajectory(Files),
}

/// Where something is computed, of which parameters, and from which file into which.
#[derive(Debug)]
struct Files {
    device: Choice,
    from: Option<PathBuf>,
    input: PathBuf,
    output: PathBuf,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("{0}; see --help")]
    Usage(String),
    #[error("cannot watch for signals: {0}")]
    Signals(io::Error),
    #[error(transparent)]
    Launch(#[from] LaunchError),
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    #[error(transparent)]
    Device(#[from] NoCuda),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    #[error(transparent)]
    Trajectory(#[from] TrajectoryError),
    /// tch panics where LibTorch throws.
    #[error("LibTorch: {0}")]
    Torch(String),
}

/// The whole trainer: parses the command line, trains or evaluates, and reports. 0: done; 2: could not; 130: stopped by a signal.
pub fn main<M: Model>() -> ExitCode {
    openmp::spin_briefly();
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match parse(&arguments).and_then(execute::<M>) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            let diverged =
                matches!(error, CommandError::Run(RunError::Fault { .. } | RunError::RolledBack { .. }));
            ExitCode::from(if diverged { DIVERGED } else { COULD_NOT_RUN })
        }
    }
}

fn execute<M: Model>(command: Command) -> Result<ExitCode, CommandError> {
    match command {
        Command::Help => {
            let _ = write!(io::stdout(), "{}", help(M::SPEC));
            Ok(ExitCode::SUCCESS)
        }
        Command::Evaluate(Files { device, from, input, output }) => {
            let device = device::choose(device, 0)?;
            catching(|| Ok(evaluate::evaluate::<M>(device, from.as_deref(), &input, &output)?))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Trajectory(Files { device, from, input, output }) => {
            let device = device::choose(device, 0)?;
            catching(|| Ok(trajectory::trajectory::<M>(device, from.as_deref(), &input, &output)?))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Spawn { nproc, arguments, timeout } => {
            let stop = signal::watch().map_err(CommandError::Signals)?;
            let spawned = catching(|| Ok(dist::spawn(nproc, &arguments, timeout, &stop)?))?;
            Ok(match spawned {
                Spawned::Done => ExitCode::SUCCESS,
                Spawned::Interrupted => ExitCode::from(INTERRUPTED),
                Spawned::Diverged => ExitCode::from(DIVERGED),
            })
        }
        Command::Train(options) => {
            let stop = signal::watch().map_err(CommandError::Signals)?;
            let ending = catching(|| Ok(run::run::<M>(&options, &|_| stop())?))?;
            Ok(match ending {
                Ending::Finished { .. } => ExitCode::SUCCESS,
                Ending::Interrupted { .. } => ExitCode::from(INTERRUPTED),
            })
        }
    }
}

/// Runs `body`, and makes an error of a panic: tch panics with LibTorch's message when an operation fails, for want of memory say.
fn catching<T>(body: impl FnOnce() -> Result<T, CommandError>) -> Result<T, CommandError> {
    panic::set_hook(Box::new(|_| ()));
    let caught = panic::catch_unwind(AssertUnwindSafe(body));
    let _ = panic::take_hook();
    caught.unwrap_or_else(|payload| Err(CommandError::Torch(message(payload.as_ref()))))
}

/// The first line of a panic's message, out of the `Torch("…")` that tch wraps it in.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("an unknown fault");
    let inner = text.split_once("Torch(\"").map_or(text, |(_, inner)| inner);
    inner.split("\\n").next().unwrap_or(inner).trim_end_matches("\")").to_owned()
}

fn parse(arguments: &[OsString]) -> Result<Command, CommandError> {
    if let Some((command, rest)) = arguments.split_first().filter(|(first, _)| *first == "evaluate") {
        return Ok(Command::Evaluate(files(command, rest)?));
    }
    if let Some((command, rest)) = arguments.split_first().filter(|(first, _)| *first == "trajectory") {
        return Ok(Command::Trajectory(files(command, rest)?));
    }
    let mut options = Options {
        data: Vec::new(),
        val: Vec::new(),
        out: None,
        steps: None,
        seed: None,
        lr_scale: None,
        resume: None,
        init_from: None,
        device: Choice::Auto,
        threads: None,
        place: Place::alone(),
        timeout: PATIENCE,
        optimizer_state: OptimizerState::Whole,
        observation: Observation::default(),
        verbosity: Verbosity::Normal,
    };
    let mut nproc: Option<usize> = None;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let name = argument.to_string_lossy();
        let mut value = || rest.next().ok_or_else(|| CommandError::Usage(format!("{name} needs a value")));
        match name.as_ref() {
            "-h" | "--help" => return Ok(Command::Help),
            "--quiet" => options.verbosity = Verbosity::Quiet,
            "--data" => options.data.push(value()?.into()),
            "--val" => options.val.push(validation_set(value()?)?),
            "--out" => options.out = Some(value()?.into()),
            "--resume" => options.resume = Some(value()?.into()),
            "--init-from" => options.init_from = Some(value()?.into()),
            "--steps" => options.steps = Some(positive(&name, value()?)?),
            "--seed" => options.seed = Some(number(&name, value()?)?),
            "--lr-scale" => options.lr_scale = Some(factor(&name, value()?)?),
            "--threads" => options.threads = Some(positive(&name, value()?)?),
            "--nproc" => nproc = Some(positive(&name, value()?)?),
            "--timeout" => options.timeout = Duration::from_secs(positive(&name, value()?)?),
            "--optimizer-state" => options.optimizer_state = optimizer_state(value()?)?,
            "--sharpness" => options.observation.sharpness = true,
            "--peak-flops" => options.observation.peak_flops = Some(factor(&name, value()?)?),
            "--device" => options.device = device(value()?)?,
            _ => return Err(CommandError::Usage(format!("unknown argument `{name}`"))),
        }
    }
    if let (Some(_), Some(out)) = (&options.resume, &options.out) {
        return Err(CommandError::Usage(format!(
            "a resumed run goes on in its own folder: leave out --out {}",
            out.display()
        )));
    }
    if let (Some(run), Some(_)) = (&options.resume, &options.init_from) {
        return Err(CommandError::Usage(format!(
            "a resumed run has its own parameters: leave out --init-from, or begin a run anew without --resume {}",
            run.display()
        )));
    }
    match (Place::learn(&|name| std::env::var(name).ok())?, nproc) {
        (Some(place), Some(nproc)) => Err(LaunchError::Twice { nproc, world: place.world }.into()),
        (Some(place), None) => Ok(Command::Train(Box::new(Options { place, ..options }))),
        (None, Some(nproc)) if nproc > 1 => {
            let arguments = without(arguments, "--nproc");
            Ok(Command::Spawn { nproc, arguments, timeout: options.timeout })
        }
        (None, Some(_) | None) => Ok(Command::Train(Box::new(options))),
    }
}

/// The arguments without `option` and its value.
fn without(arguments: &[OsString], option: &str) -> Vec<OsString> {
    let mut rest = arguments.iter();
    let mut kept = Vec::new();
    while let Some(argument) = rest.next() {
        if argument == option {
            let _value = rest.next();
        } else {
            kept.push(argument.clone());
        }
    }
    kept
}

/// `[--device WHICH] [--from DIR] IN OUT` after `command`.
fn files(command: &OsStr, arguments: &[OsString]) -> Result<Files, CommandError> {
    let (mut device, mut from, mut rest) = (Choice::Cpu, None, arguments);
    loop {
        match rest {
            [option, which, others @ ..] if option == "--device" => {
                (device, rest) = (self::device(which)?, others);
            }
            [option, folder, others @ ..] if option == "--from" => {
                (from, rest) = (Some(folder.into()), others);
            }
            [input, output] if !input.to_string_lossy().starts_with("--") => {
                return Ok(Files { device, from, input: input.into(), output: output.into() });
            }
            _ => {
                return Err(CommandError::Usage(format!(
                    "`{}` takes [--device WHICH] [--from DIR] IN.safetensors OUT.safetensors",
                    command.display()
                )));
            }
        }
    }
}

fn number<T: FromStr>(name: &str, value: &OsStr) -> Result<T, CommandError> {
    let parsed = value.to_str().and_then(|text| text.replace('_', "").parse().ok());
    parsed
        .ok_or_else(|| CommandError::Usage(format!("{name} takes a whole number, not `{}`", value.display())))
}

fn positive<T: FromStr + Default + PartialOrd>(name: &str, value: &OsStr) -> Result<T, CommandError> {
    let parsed: T = number(name, value)?;
    if parsed > T::default() {
        Ok(parsed)
    } else {
        Err(CommandError::Usage(format!("{name} takes a number above 0, not `{}`", value.display())))
    }
}

/// A finite number above 0.
fn factor(name: &str, value: &OsStr) -> Result<f64, CommandError> {
    let parsed = value.to_str().and_then(|text| text.parse().ok());
    parsed.filter(|factor: &f64| factor.is_finite() && *factor > 0.0).ok_or_else(|| {
        CommandError::Usage(format!("{name} takes a number above 0, not `{}`", value.display()))
    })
}

/// `NAME=PATH`
fn validation_set(value: &OsStr) -> Result<Named, CommandError> {
    value.to_str().and_then(Named::parse).ok_or_else(|| {
        CommandError::Usage(format!(
            "--val takes NAME=PATH, such as wiki=wiki.txt, not `{}`",
            value.display()
        ))
    })
}

fn device(value: &OsStr) -> Result<Choice, CommandError> {
    match value.to_str() {
        Some("auto") => Ok(Choice::Auto),
        Some("cpu") => Ok(Choice::Cpu),
        Some("cuda") => Ok(Choice::Cuda),
        Some(_) | None => {
            Err(CommandError::Usage(format!("--device takes cpu, cuda or auto, not `{}`", value.display())))
        }
    }
}

fn optimizer_state(value: &OsStr) -> Result<OptimizerState, CommandError> {
    match value.to_str() {
        Some("whole") => Ok(OptimizerState::Whole),
        Some("sharded") => Ok(OptimizerState::Sharded),
        Some(_) | None => Err(CommandError::Usage(format!(
            "--optimizer-state takes whole or sharded, not `{}`",
            value.display()
        ))),
    }
}

fn help(spec: &Spec) -> String {
    let Spec { name, training, .. } = spec;
    format!(
        "Trains {name} ({} steps of {} x {} tokens, {}).

usage: {name} --data PATH [OPTIONS]
       {name} --resume DIR [OPTIONS]
       {name} evaluate [--device WHICH] [--from DIR] IN.safetensors OUT.safetensors
       {name} trajectory [--device WHICH] [--from DIR] IN.safetensors OUT.safetensors

  --data PATH      what to train on: a folder of `svc prepare`; .bin files of nanoGPT or llm.c, or a folder of them; or
                   text, a file or a folder, whose tokens are its bytes. Given several times, as PATH or as
                   PATH@WEIGHT, it is a mixture
  --val NAME=PATH  validate on this, too, which is as --data's: its validation split, or all of it where it has none
  --out DIR        a new folder for the run (default: the next free runs/{name}-001)
  --resume DIR     go on with the run in DIR, in the same bits as if it had not stopped
  --init-from DIR  begin with the parameters in DIR, as the spec's `tensors huggingface` block names them:
                   model.safetensors, or model.safetensors.index.json and its files
  --steps N        instead of the spec's; its schedule shrinks or grows with it
  --seed N         instead of the spec's {}: initialisation, data order, sample
  --lr-scale F     multiply the learning rate of every parameter group by F; decay, which it multiplies, too
  --device WHICH   cpu, cuda, or auto: cuda where there is one (default)
  --threads N      CPU threads of each process
  --nproc N        train in so many processes of this machine; torchrun and srun start them, too, on several machines
  --optimizer-state WHICH
                   whole in every process, or sharded: each parameter's in one of them (default: whole)
  --timeout N      how many seconds a process waits for another (default: {}); longer than a checkpoint takes
  --sharpness      at each validation, measure the largest eigenvalue of the Hessian of the loss on {} tokens of the
                   training data, in f64: some dozens of gradients of them
  --peak-flops F   the floating-point operations a second that one device can do at best, such as 989e12: rows then
                   have the model FLOPs utilization, `mfu`: tokens/s x {:.4e} FLOPs per token / (F x processes)
  --quiet          say nothing but errors
  --help           this

evaluate reads parameters, `tokens` and `targets`, and writes `logits`, `loss` and `grad.NAME`; with --from the
parameters are those in DIR, and `foreign_grad.NAME` is written by the names there. trajectory reads the same, with
`tokens` and `targets` [steps, sequences, tokens], takes a step on each, and writes the `losses`. Both compute on the CPU unless --device says otherwise.
Exit codes: 0 done, 2 could not run, 3 diverged, 130 stopped by SIGINT or SIGTERM, with a checkpoint.
",
        training.steps,
        training.batch,
        spec.context,
        training.precision.name(),
        training.seed,
        PATIENCE.as_secs(),
        train::NUM_SHARPNESS_TOKENS,
        spec.flops_per_token,
    )
}
