//! The options of a run in, a run folder out: set-up or resumption, training, and what is left at the end.

mod error;
mod roll_back;

pub use error::RunError;

use crate::checkpoint::{self, Record, State};
use crate::corpus;
use crate::corpus::held_out::{self, Named};
use crate::device::{self, Choice};
use crate::dist::{self, Place, Team, TeamError};
use crate::foreign::{self, Foreign};
use crate::health::Guard;
use crate::metrics::METRICS_FILE;
use crate::model::Model;
use crate::observation::Observation;
use crate::optimizer::Optimizer;
use crate::params::Params;
use crate::precision;
use crate::progress::{Progress, Verbosity};
use crate::sample;
use crate::scale_stats;
use crate::spec::{OptimizerState, Spec};
use crate::summary;
use crate::train::{self, Ending, Outcome, Plan};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::thread;
use std::time::Duration;
use tch::Device;

/// What the command line asks of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Text or tokens, as [`corpus::read`] takes them.
    pub data: Vec<PathBuf>,
    /// What to validate on besides.
    pub val: Vec<Named>,
    /// A new run folder; by default the next free `runs/NAME-001`.
    pub out: Option<PathBuf>,
    /// Instead of the spec's number of steps.
    pub steps: Option<u64>,
    /// Instead of the spec's seed.
    pub seed: Option<u64>,
    /// What to multiply every group's learning rate by; by default 1.
    pub lr_scale: Option<f64>,
    /// The folder of a run to go on with.
    pub resume: Option<PathBuf>,
    /// A folder of parameters, as other software saves them, to begin with.
    pub init_from: Option<PathBuf>,
    /// Where to run.
    pub device: Choice,
    /// CPU threads; by default LibTorch's choice, or among several processes of a machine an equal share of its cores.
    pub threads: Option<i32>,
    /// Where this process is among those of the run.
    pub place: Place,
    /// How long it waits for the others.
    pub timeout: Duration,
    /// Where the optimizer's state is among them.
    pub optimizer_state: OptimizerState,
    /// What is observed besides.
    pub observation: Observation,
    /// How much is said.
    pub verbosity: Verbosity,
}

/// Begins a run, or takes one up, and carries it to its end or until `stop` says so after a step.
pub fn run<M: Model>(options: &Options, stop: &dyn Fn(u64) -> bool) -> Result<Ending, RunError> {
    let device = device::choose(options.device, options.place.local_rank)?;
    device::prepare(device)?;
    device::count_memory(device)?;
    let team = Rc::new(Team::meet(&options.place, options.timeout)?);
    let ending = run_in::<M>(options, stop, device, &team);
    if let Err(error) = &ending {
        team.leave(&error.to_string());
    }
    ending
}

/// The same, among the processes of `team`.
fn run_in<M: Model>(
    options: &Options,
    stop: &dyn Fn(u64) -> bool,
    device: Device,
    team: &Rc<Team>,
) -> Result<Ending, RunError> {
    let (plan, mut state) = team.together(set_up(M::SPEC, M::FOREIGN, options, device, team)?)?;
    agree(M::SPEC, &plan, &state)?;
    let mut model = M::new(&state.params);
    let verbosity = if team.leads() { options.verbosity } else { Verbosity::Quiet };
    let mut progress = Progress::new(verbosity, state.step, plan.training.steps);
    introduce(M::SPEC, &plan, &state, &progress);
    let ending = loop {
        match train::train(&model, &plan, &mut state, stop, &mut progress) {
            Ok(Outcome::GoesBack(fault)) => {
                state = team.together(roll_back::roll_back(M::SPEC, M::FOREIGN, &plan, fault))?;
                model = M::new(&state.params);
                progress.rewind(state.step);
            }
            Ok(Outcome::Ended(ending)) => break Ok(ending),
            Err(error) => break Err(error),
        }
    };
    progress.finish();
    match ending? {
        Ending::Interrupted { step } => {
            progress
                .say(format_args!("stopped after step {step}; go on with --resume {}", plan.out.display()));
            Ok(Ending::Interrupted { step })
        }
        ending @ Ending::Finished { .. } => {
            if team.leads() {
                conclude(&model, &plan, &state, ending.clone(), &progress)?;
            }
            Ok(ending)
        }
    }
}

/// What there is before the first step, in one process: an error here is told to the others. The outer one is of their being lost.
type SetUp = Result<(Plan, State), RunError>;

/// The run that the options ask for, begun or taken up. Process 0 says which, since it is the one that makes folders.
fn set_up(
    spec: &'static Spec,
    foreign: Foreign,
    options: &Options,
    device: Device,
    team: &Rc<Team>,
) -> Result<SetUp, TeamError> {
    if let Some(run) = &options.resume {
        return Ok(resume(spec, foreign, options, run, device, team));
    }
    let place = team.place();
    if options.out.is_none() && place.may_restart {
        return Err(TeamError::NoFolder);
    }
    let out = team.told("the run folder", || {
        options.out.clone().unwrap_or_else(|| next_free(spec.name)).to_string_lossy().into_owned()
    })?;
    let out = PathBuf::from(out);
    // What started the processes has started them again, with the same arguments: they go on.
    let goes_on = place.attempt > 0
        && team.told("whether to go on", || checkpoint::exists(&out).to_string())? == "true";
    if goes_on {
        return Ok(resume(spec, foreign, options, &out, device, team));
    }
    Ok(begin(spec, foreign, options, out, device, team))
}

/// A new run: parameters initialised, folder made.
fn begin(
    spec: &'static Spec,
    foreign: Foreign,
    options: &Options,
    out: PathBuf,
    device: Device,
    team: &Rc<Team>,
) -> SetUp {
    let training = spec.training.with_steps(options.steps.unwrap_or(spec.training.steps));
    team.share(&training)?;
    let seed = options.seed.unwrap_or(spec.training.seed);
    if options.data.is_empty() {
        return Err(RunError::NoData);
    }
    let corpus = corpus::read(&options.data)?;
    corpus.check(spec.context, spec.vocab)?;
    if let Some(document_end) = spec.document_end {
        corpus.check_documents(document_end)?;
    }
    let held_out = held_out::read(&options.val, &corpus.sources, spec.context, spec.vocab)?;
    if team.leads() && holds_run(&out) {
        return Err(RunError::Taken(out));
    }
    let threads = use_threads(options.threads, team.place());
    // Only an empty path has no absolute one, and that holds no parameters.
    let absolute = |folder: &PathBuf| std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
    let init_from = options.init_from.as_ref().map(absolute);
    let optimizer_state = options.optimizer_state;
    let optimizer = |params: &Params| team.optimizer(spec, params, optimizer_state);
    let state = first_state(spec, foreign, seed, init_from.as_deref(), device, optimizer)?;
    let fingerprint = corpus.fingerprint();
    let team = Rc::clone(team);
    let lr_scale = options.lr_scale.unwrap_or(1.0);
    let plan = Plan {
        training,
        seed,
        lr_scale,
        threads,
        device,
        out,
        init_from,
        corpus,
        held_out,
        fingerprint,
        optimizer_state,
        team,
        observation: options.observation,
    };
    if plan.team.leads() {
        let failed = |source| RunError::Folder { path: plan.out.clone(), source };
        fs::create_dir_all(&plan.out).map_err(failed)?;
        checkpoint::begin(&plan.out, &plan.record(spec, &state))?;
    }
    Ok((plan, state))
}

/// The state at step 0. `optimizer` makes the optimizer.
fn first_state(
    spec: &'static Spec,
    foreign: Foreign,
    seed: u64,
    init_from: Option<&Path>,
    device: Device,
    optimizer: impl FnOnce(&Params) -> Optimizer,
) -> Result<State, RunError> {
    let params = match init_from {
        Some(folder) => {
            let params = foreign::load(spec, foreign, folder, device)?;
            params.normalize()?;
            params
        }
        None => Params::init(spec, seed, device),
    };
    let params = params.in_kind(spec, precision::kind(spec.training.precision));
    let optimizer = optimizer(&params);
    let guard = Guard::new(spec.training.health, device);
    Ok(State { step: 0, seconds: 0.0, params, optimizer, guard, roll_backs: Vec::new() })
}

/// The run in `run`, as its newest checkpoint left it; if it has none, as it began.
fn resume(
    spec: &'static Spec,
    foreign: Foreign,
    options: &Options,
    run: &Path,
    device: Device,
    team: &Rc<Team>,
) -> SetUp {
    let record = checkpoint::load_record(run, spec)?;
    let whole = |given: Option<u64>| given.map(|given| given as f64);
    for (option, given, recorded) in [
        ("--steps", whole(options.steps), record.steps as f64),
        ("--seed", whole(options.seed), record.seed as f64),
        ("--lr-scale", options.lr_scale, record.lr_scale),
    ] {
        if let Some(given) = given.filter(|given| given.to_bits() != recorded.to_bits()) {
            return Err(RunError::Contradiction { option, given, recorded, run: run.to_owned() });
        }
    }
    let data = if options.data.is_empty() { &record.data } else { &options.data };
    let corpus = corpus::read(data)?;
    let recorded = || record.val.iter().map(|set| set.named.clone()).collect();
    let val = if options.val.is_empty() { recorded() } else { options.val.clone() };
    let held_out = held_out::read(&val, &corpus.sources, spec.context, spec.vocab)?;
    held_out::as_recorded(&held_out, &record.val)?;
    let fingerprint = corpus.fingerprint();
    if fingerprint != record.corpus {
        let given: Vec<String> = data.iter().map(|path| path.display().to_string()).collect();
        return Err(RunError::OtherCorpus { given: given.join("`, `"), run: run.to_owned() });
    }
    if team.leads() {
        dist::unclaim(run);
    }
    let is_as_before = record.processes == team.world();
    let recorded = Some(record.threads).filter(|_| is_as_before);
    let threads = use_threads(options.threads.or(recorded), team.place());
    let optimizer_state = options.optimizer_state;
    let optimizer = |params: &Params| team.optimizer(spec, params, optimizer_state);
    let init_from = record.init_from.clone();
    let state = match checkpoint::load_state(run, &record, spec, device, optimizer)? {
        Some(state) => state,
        None => State {
            roll_backs: record.roll_backs.clone(),
            ..first_state(spec, foreign, record.seed, init_from.as_deref(), device, optimizer)?
        },
    };
    let training = spec.training.with_steps(record.steps);
    team.share(&training)?;
    let out = run.to_owned();
    let team = Rc::clone(team);
    let Record { seed, lr_scale, .. } = record;
    let plan = Plan {
        training,
        seed,
        lr_scale,
        threads,
        device,
        out,
        init_from,
        corpus,
        held_out,
        fingerprint,
        optimizer_state,
        team,
        observation: options.observation,
    };
    Ok((plan, state))
}

/// Makes sure that all processes train the same, and gives them the parameters of process 0.
fn agree(spec: &Spec, plan: &Plan, state: &State) -> Result<(), TeamError> {
    let Plan { team, training, seed, fingerprint, device, .. } = plan;
    team.same("a spec whose hash is", spec.hash)?;
    team.same("--steps", &training.steps.to_string())?;
    team.same("--seed", &seed.to_string())?;
    let sets = plan.held_out.iter().map(|set| format!("{} ({})", set.name(), set.recorded().crc32));
    team.same("--val", &sets.collect::<Vec<_>>().join(", "))?;
    team.same("--device", device::name(*device))?;
    team.same("--optimizer-state", plan.optimizer_state.name())?;
    team.same("as text", &format!("{fingerprint:?}"))?;
    team.same("a state after step", &state.step.to_string())?;
    team.spread(&state.params)
}

/// Sets the number of CPU threads, and says what it is.
fn use_threads(wanted: Option<i32>, place: &Place) -> i32 {
    let share = || {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        (cores / place.local_world).max(1) as i32
    };
    if let Some(threads) = wanted.or_else(|| (place.local_world > 1).then(share)) {
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
    let world = plan.team.world();
    if world > 1 {
        progress.say(format_args!(
            "{world} processes, {} threads each, {} optimizer state",
            plan.threads,
            plan.optimizer_state.name(),
        ));
    }
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
    for line in scale_stats::table(&plan.scales(M::SPEC, state)) {
        progress.say(line);
    }
    progress.say(summary);
    Ok(())
}
