//! The options of a run in, a run folder out: set-up or resumption, training, and what is left at the end.

use crate::checkpoint::{self, CheckpointError, State};
use crate::corpus::{self, CorpusError};
use crate::device::{self, Choice, NoCuda};
use crate::ffi::{self, TorchError};
use crate::foreign::{self, Foreign, ForeignError};
use crate::metrics::{METRICS_FILE, MetricsError};
use crate::model::Model;
use crate::optimizer::Optimizer;
use crate::params::Params;
use crate::progress::{Progress, Verbosity};
use crate::sample;
use crate::scale_stats;
use crate::spec::Spec;
use crate::summary::{self, SummaryError};
use crate::train::{self, Ending, Plan};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tch::Device;

/// What the command line asks of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Text or tokens, as [`corpus::read`] takes them.
    pub data: Vec<PathBuf>,
    /// A new run folder; by default the next free `runs/NAME-001`.
    pub out: Option<PathBuf>,
    /// Instead of the spec's number of steps.
    pub steps: Option<u64>,
    /// Instead of the spec's seed.
    pub seed: Option<u64>,
    /// The folder of a run to go on with.
    pub resume: Option<PathBuf>,
    /// A folder of parameters, as other software saves them, to begin with.
    pub init_from: Option<PathBuf>,
    /// Where to run.
    pub device: Choice,
    /// CPU threads; by default LibTorch's choice.
    pub threads: Option<i32>,
    /// How much is said.
    pub verbosity: Verbosity,
}

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Nothing to train on.
    #[error("nothing to train on: pass --data with a file or a folder of text or tokens")]
    NoData,
    /// The run folder is taken.
    #[error("`{0}` already holds a run: choose another --out, or go on with it by --resume `{0}`")]
    Taken(PathBuf),
    /// The run folder cannot be made.
    #[error("cannot make the run folder `{path}`: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// An option that contradicts the run to resume.
    #[error(
        "{option} {given} contradicts the run in `{run}`, which has {recorded}: leave {option} out to go on with it"
    )]
    Contradiction {
        /// `--steps`, `--seed`.
        option: &'static str,
        /// What the command line says.
        given: u64,
        /// What the run was begun with.
        recorded: u64,
        /// The run folder.
        run: PathBuf,
    },
    /// The text is not the one the run was begun with.
    #[error(
        "`{given}` is not what the run in `{run}` was begun with, in text and weights: pass that as --data"
    )]
    OtherCorpus {
        /// What was read.
        given: String,
        /// The run folder.
        run: PathBuf,
    },
    /// The loss ran away.
    #[error(
        "training diverged at step {step}: loss {loss}, gradient norm {grad_norm}; lower lr, or warm up for longer"
    )]
    Diverged {
        /// The step.
        step: u64,
        /// Its loss.
        loss: f64,
        /// Its gradient's norm.
        grad_norm: f64,
    },
    /// The sample could not be written.
    #[error("cannot write `{path}`: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The parameters to begin with are at fault.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    /// The corpus is at fault.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// The checkpoint is at fault.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file of rows is at fault.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The summary is at fault.
    #[error(transparent)]
    Summary(#[from] SummaryError),
    /// The device is not there.
    #[error(transparent)]
    Device(#[from] NoCuda),
    /// LibTorch refuses.
    #[error(transparent)]
    Torch(#[from] TorchError),
}

/// Begins a run, or takes one up, and carries it to its end or until `stop` says so after a step.
pub fn run<M: Model>(options: &Options, stop: &dyn Fn(u64) -> bool) -> Result<Ending, RunError> {
    let device = device::choose(options.device)?;
    if device.is_cuda() {
        ffi::set_deterministic()?;
    }
    let (plan, mut state) = match &options.resume {
        None => begin(M::SPEC, M::FOREIGN, options, device)?,
        Some(run) => resume(M::SPEC, M::FOREIGN, options, run, device)?,
    };
    let model = M::new(&state.params);
    let mut progress = Progress::new(options.verbosity, state.step, plan.training.steps);
    introduce(M::SPEC, &plan, &state, &progress);
    let ending = train::train(&model, &plan, &mut state, stop, &mut progress);
    progress.finish();
    match ending? {
        Ending::Interrupted { step } => {
            progress
                .say(format_args!("stopped after step {step}; go on with --resume {}", plan.out.display()));
            Ok(Ending::Interrupted { step })
        }
        ending @ Ending::Finished { .. } => {
            conclude(&model, &plan, &state, ending, &progress)?;
            Ok(ending)
        }
    }
}

/// A new run: parameters initialised, folder made.
fn begin(
    spec: &'static Spec,
    foreign: Foreign,
    options: &Options,
    device: Device,
) -> Result<(Plan, State), RunError> {
    let training = spec.training.with_steps(options.steps.unwrap_or(spec.training.steps));
    let seed = options.seed.unwrap_or(spec.training.seed);
    if options.data.is_empty() {
        return Err(RunError::NoData);
    }
    let corpus = corpus::read(&options.data)?;
    corpus.check(spec.context, spec.vocab)?;
    let out = options.out.clone().unwrap_or_else(|| next_free(spec.name));
    if holds_run(&out) {
        return Err(RunError::Taken(out));
    }
    let threads = use_threads(options.threads);
    // Only an empty path has no absolute one, and that holds no parameters.
    let absolute = |folder: &PathBuf| std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
    let init_from = options.init_from.as_ref().map(absolute);
    let state = first_state(spec, foreign, seed, init_from.as_deref(), device)?;
    fs::create_dir_all(&out).map_err(|source| RunError::Folder { path: out.clone(), source })?;
    let fingerprint = corpus.fingerprint();
    let plan = Plan { training, seed, threads, device, out, init_from, corpus, fingerprint };
    checkpoint::begin(&plan.out, &plan.record(spec, 0, 0.0))?;
    Ok((plan, state))
}

/// The state at step 0.
fn first_state(
    spec: &'static Spec,
    foreign: Foreign,
    seed: u64,
    init_from: Option<&Path>,
    device: Device,
) -> Result<State, RunError> {
    let params = match init_from {
        Some(folder) => foreign::load(spec, foreign, folder, device)?,
        None => Params::init(spec, seed, device),
    };
    let optimizer = Optimizer::new(spec, &params);
    Ok(State { step: 0, seconds: 0.0, params, optimizer })
}

/// The run in `run`, as its newest checkpoint left it; if it has none, as it began.
fn resume(
    spec: &'static Spec,
    foreign: Foreign,
    options: &Options,
    run: &Path,
    device: Device,
) -> Result<(Plan, State), RunError> {
    let record = checkpoint::load_record(run, spec)?;
    for (option, given, recorded) in
        [("--steps", options.steps, record.steps), ("--seed", options.seed, record.seed)]
    {
        if let Some(given) = given.filter(|&given| given != recorded) {
            return Err(RunError::Contradiction { option, given, recorded, run: run.to_owned() });
        }
    }
    let data = if options.data.is_empty() { &record.data } else { &options.data };
    let corpus = corpus::read(data)?;
    let fingerprint = corpus.fingerprint();
    if fingerprint != record.corpus {
        let given: Vec<String> = data.iter().map(|path| path.display().to_string()).collect();
        return Err(RunError::OtherCorpus { given: given.join("`, `"), run: run.to_owned() });
    }
    let threads = use_threads(Some(options.threads.unwrap_or(record.threads)));
    let init_from = record.init_from.clone();
    let state = match checkpoint::load_state(run, &record, spec, device)? {
        Some(state) => state,
        None => first_state(spec, foreign, record.seed, init_from.as_deref(), device)?,
    };
    let training = spec.training.with_steps(record.steps);
    let out = run.to_owned();
    let plan = Plan { training, seed: record.seed, threads, device, out, init_from, corpus, fingerprint };
    Ok((plan, state))
}

/// Sets the number of CPU threads, and says what it is.
fn use_threads(wanted: Option<i32>) -> i32 {
    if let Some(threads) = wanted {
        tch::set_num_threads(threads);
    }
    tch::get_num_threads()
}

fn holds_run(folder: &Path) -> bool {
    checkpoint::exists(folder) || folder.join(METRICS_FILE).exists() || folder.join(summary::FILE).exists()
}

/// `runs/NAME-001`, or the first number after it that is free.
fn next_free(name: &str) -> PathBuf {
    let folders = (1_u32..).map(|number| Path::new("runs").join(format!("{name}-{number:03}")));
    folders.into_iter().find(|folder| !folder.exists()).unwrap_or_default()
}

fn introduce(spec: &Spec, plan: &Plan, state: &State, progress: &Progress) {
    progress.say(format_args!(
        "{}: {} parameters on {} in {}, {} steps of {} x {} tokens, from {} {}",
        spec.name,
        state.params.num_elements(),
        device::name(plan.device),
        plan.training.precision.name(),
        plan.training.steps,
        plan.training.batch,
        spec.context,
        plan.corpus.num_train_tokens(),
        if plan.corpus.is_bytes() { "bytes of text" } else { "tokens" },
    ));
    if state.step > 0 {
        progress.say(format_args!("going on after step {}", state.step));
    }
}

/// Writes the sample and the summary, and says how it went.
fn conclude<M: Model>(
    model: &M,
    plan: &Plan,
    state: &State,
    ending: Ending,
    progress: &Progress,
) -> Result<(), RunError> {
    let text = sample::sample(model, plan)?;
    let path = plan.out.join(sample::FILE);
    fs::write(&path, text).map_err(|source| RunError::Write { path, source })?;
    let summary = summary::summarise(M::SPEC, plan, state, ending);
    summary::write(&plan.out, &summary)?;
    for line in scale_stats::table(&scale_stats::measure(M::SPEC, &state.params)) {
        progress.say(line);
    }
    progress.say(summary);
    Ok(())
}
