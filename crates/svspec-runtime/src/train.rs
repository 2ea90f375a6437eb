//! A plan and a state in, a trained model in a run folder out: the training loop.

use crate::batch::{self, Batch};
use crate::checkpoint::{Keep, Record, Snapshot, State, Writer};
use crate::clock::{Clock, Seconds};
use crate::corpus::held_out::HeldOut;
use crate::corpus::{Corpus, Fingerprint};
use crate::dist::{self, Sums, Team};
use crate::health::{self, Fault};
use crate::log::{Log, Step};
use crate::losses::Losses;
use crate::model::Model;
use crate::observation::Observation;
use crate::precision;
use crate::progress::Progress;
use crate::run::RunError;
use crate::scale_stats::{self, ScaleStats};
use crate::sharpness;
use crate::spec::{OptimizerState, Remedy, Spec, Training};
use crate::validation::{Validation, validate};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;
use tch::{Device, Kind, Tensor};

/// Losses are fetched from the device once in so many steps: each fetch waits for it.
const STEPS_PER_FETCH: u64 = 10;
/// Tokens in the windows whose loss's sharpness is measured; at least one window.
pub const NUM_SHARPNESS_TOKENS: usize = 2_048;

/// What does not change during a run.
#[derive(Debug)]
pub struct Plan {
    /// The spec's settings, in the number of steps asked for.
    pub training: Training,
    /// Of initialisation, data order and sampling.
    pub seed: u64,
    /// What every group's learning rate is multiplied by.
    pub lr_scale: f64,
    /// CPU threads.
    pub threads: i32,
    /// Where it runs.
    pub device: Device,
    /// The run folder.
    pub out: PathBuf,
    /// The folder of parameters that it began with, if not with initialised ones.
    pub init_from: Option<PathBuf>,
    /// What it reads.
    pub corpus: Corpus,
    /// What it validates on besides.
    pub held_out: Vec<HeldOut>,
    /// Which corpus that is.
    pub fingerprint: Fingerprint,
    /// Where the optimizer's state is among processes.
    pub optimizer_state: OptimizerState,
    /// The processes that train together.
    pub team: Rc<Team>,
    /// What is observed besides.
    pub observation: Observation,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// All steps are done.
    Finished {
        /// The loss of the last step; none if there was no step left to take.
        train_loss: Option<f64>,
        /// The losses on validation windows.
        validation: Validation,
        /// Over the steps of this sitting; validation and checkpoints left out.
        tokens_per_second: f64,
        /// Where a step's time went, in the mean of those that were measured.
        step_seconds: Option<Seconds>,
    },
    /// It was asked to stop, and left a checkpoint.
    Interrupted {
        /// Steps taken.
        step: u64,
    },
}

/// What a sitting came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The run's end, for now.
    Ended(Ending),
    /// The run is to go back to its newest checkpoint.
    GoesBack(Fault),
}

/// Trains `model`, whose parameters `state` holds, to the plan's end, or until `stop` says so after a step. A process that loses the others
/// leaves a checkpoint.
pub fn train<M: Model>(
    model: &M,
    plan: &Plan,
    state: &mut State,
    stop: &dyn Fn(u64) -> bool,
    progress: &mut Progress,
) -> Result<Outcome, RunError> {
    let mut log = Log::open(M::SPEC, plan, state)?;
    // The process that speaks writes the checkpoints, and alone puts away what a crash left in the folder.
    let writer = || Writer::open(plan.out.clone(), Keep::new(&plan.training));
    let mut checkpoints = plan.team.leads().then(writer).transpose()?;
    let mut ending = steps(model, plan, state, stop, progress, &mut log, checkpoints.as_mut());
    if let Err(RunError::Team(error)) = &mut ending {
        dist::rescue(error, M::SPEC, plan, state, || rescue(M::SPEC, plan, state, log, checkpoints));
    }
    ending
}

/// Leaves the state as it is in the run's folder.
fn rescue(
    spec: &Spec,
    plan: &Plan,
    state: &State,
    mut log: Log,
    checkpoints: Option<Writer>,
) -> Result<(), RunError> {
    let mut checkpoints = match checkpoints {
        Some(writer) => writer,
        None => Writer::open(plan.out.clone(), Keep::new(&plan.training))?,
    };
    // An older one that could not be written does not stand in the way of this one.
    let _ = checkpoints.finish();
    let sync = log.rescue(plan, state)?;
    let record = plan.record(spec, state);
    let snapshot = Snapshot::take(state, state.optimizer.state(), record, plan.device)?;
    checkpoints.begin(snapshot, move || Ok(sync()?))?;
    Ok(checkpoints.finish()?)
}

/// Begins to write a checkpoint of the state, with what the optimizers of all processes remember.
fn save(
    spec: &'static Spec,
    plan: &Plan,
    state: &State,
    log: &mut Log,
    checkpoints: Option<&mut Writer>,
) -> Result<(), RunError> {
    let remembered = plan.team.gather(spec, &state.params, &state.optimizer, plan.optimizer_state)?;
    if let Some(checkpoints) = checkpoints {
        let sync = log.sync()?;
        let snapshot = Snapshot::take(state, remembered, plan.record(spec, state), plan.device)?;
        checkpoints.begin(snapshot, move || Ok(sync()?))?;
    }
    Ok(())
}

/// What becomes of a run in which `fault` ends the sitting: no step has been taken from the one at fault on.
fn halt(
    spec: &'static Spec,
    plan: &Plan,
    state: &mut State,
    fault: Fault,
    log: &mut Log,
    mut checkpoints: Option<&mut Writer>,
) -> Result<Outcome, RunError> {
    if fault.is_passed_over() {
        state.step = fault.step - 1;
    }
    let goes_back = fault.remedy == Remedy::RollBack;
    if !goes_back && state.step > 0 {
        save(spec, plan, state, log, checkpoints.as_deref_mut())?;
    }
    checkpoints.map_or(Ok(()), Writer::finish)?;
    if goes_back {
        return Ok(Outcome::GoesBack(fault));
    }
    Err(RunError::Fault { fault, steps: state.step, run: plan.out.clone() })
}

fn steps<M: Model>(
    model: &M,
    plan: &Plan,
    state: &mut State,
    stop: &dyn Fn(u64) -> bool,
    progress: &mut Progress,
    log: &mut Log,
    mut checkpoints: Option<&mut Writer>,
) -> Result<Outcome, RunError> {
    let training = &plan.training;
    let mut sums = plan.team.sums(&state.params, plan.optimizer_state)?;
    let mut validation = None;
    if state.step == 0 {
        let losses = validation.insert(validate(model, plan)?);
        log.validation(0, losses, plan.sharpness::<M>(state), &plan.scales(M::SPEC, state))?;
    }
    state.optimizer.count_from(plan.seed, state.step);
    let mut is_told = false;
    while state.step < training.steps {
        let factors = training.factors(state.step).scaled(plan.lr_scale);
        let began = Instant::now();
        let mut clock = Clock::begin(plan.device, (state.step + 1).is_multiple_of(STEPS_PER_FETCH));
        let (losses, gradients) = losses_and_gradients(model, plan, state, &mut sums, &mut clock)?;
        let stops = plan.team.any(stop(state.step + 1))?;
        clock.lap(|seconds| &mut seconds.communication);
        let norms = plan.team.norms(&state.optimizer, &gradients, &sums)?;
        let verdict = state.guard.judge(&losses.cross_entropy, &norms);
        if let Some(checkpoints) = &mut checkpoints {
            checkpoints.wait_for_copy();
        }
        // From here on the step is taken, and noted, even if others are lost.
        let optimizer = &mut state.optimizer;
        let grad_norm = plan.team.step(optimizer, &gradients, factors, &sums, &norms, &verdict.skip)?;
        losses.loads.iter().for_each(|load| load.correct(&verdict.skip));
        clock.lap(|seconds| &mut seconds.optimizer);
        state.step += 1;
        let (traffic, world) = (plan.team.traffic(), plan.team.world());
        let sent = traffic.sent(world);
        if world > 1 && !std::mem::replace(&mut is_told, true) {
            let formula = traffic.formula(world);
            progress.say(format_args!("each process sends {sent} bytes a step: {formula}"));
        }
        let (step, lr_factor) = (state.step, factors.lr);
        let seconds = clock.seconds();
        log.step(Step { step, lr_factor, losses, grad_norm, norms, verdict, bytes_sent: sent, seconds });
        progress.advance();

        let last = state.step == training.steps;
        let stopped = !last && stops;
        let validates = last || state.step.is_multiple_of(training.eval_every);
        let saves = last || stopped || state.step.is_multiple_of(training.checkpoint_every);
        if validates || saves || state.step.is_multiple_of(STEPS_PER_FETCH) {
            let (report, faults) = log.fetch(state, began)?;
            progress.report(report);
            progress.faults(&faults);
            if let Some(fault) = ending(faults) {
                return halt(M::SPEC, plan, state, fault, log, checkpoints);
            }
        } else {
            log.spent(state, began);
        }
        if validates {
            let losses = validation.insert(validate(model, plan)?);
            let scales = plan.scales(M::SPEC, state);
            log.validation(state.step, losses, plan.sharpness::<M>(state), &scales)?;
            progress.say(format_args!("step {:>6}/{}  validation loss {losses}", state.step, training.steps));
            let dead = health::dead_scales(M::SPEC, state.step, &scales, log.unreached());
            log.faults(&dead)?;
            progress.faults(&dead);
            if let Some(fault) = ending(dead) {
                return halt(M::SPEC, plan, state, fault, log, checkpoints);
            }
        }
        if saves {
            save(M::SPEC, plan, state, log, checkpoints.as_deref_mut())?;
        }
        if stopped {
            checkpoints.map_or(Ok(()), Writer::finish)?;
            return Ok(Outcome::Ended(Ending::Interrupted { step: state.step }));
        }
    }
    checkpoints.map_or(Ok(()), Writer::finish)?;
    let validation = validation.map_or_else(|| validate(model, plan), Ok)?;
    let (train_loss, tokens_per_second) = (log.last_loss(), log.tokens_per_second());
    let step_seconds = Seconds::mean(log.measured());
    Ok(Outcome::Ended(Ending::Finished { train_loss, validation, tokens_per_second, step_seconds }))
}

/// The first that ends the sitting.
fn ending(faults: Vec<Fault>) -> Option<Fault> {
    faults.into_iter().find(|fault| fault.remedy.ends_the_sitting())
}

/// The losses of the step's batch, not waited for, and the gradient of every parameter: this process's share of the batch in
/// micro-batches, each backward added to the ones before, and the shares of all processes.
fn losses_and_gradients<M: Model>(
    model: &M,
    plan: &Plan,
    state: &State,
    sums: &mut Sums,
    clock: &mut Clock,
) -> Result<(Losses, Vec<Tensor>), RunError> {
    let training = &plan.training;
    let share = plan.team.share(training)?;
    let num_micro = training.batch / share.micro_batch;
    let context = M::SPEC.context as usize;
    let mut losses = Losses::plain(Tensor::zeros([0_i64; 0], (Kind::Float, plan.device)));
    for micro in 0..share.num_micro {
        let first = state.num_batches() * training.batch + share.first + micro * share.micro_batch;
        let sequences = first..first + share.micro_batch;
        let windows = plan.corpus.training_windows(plan.seed, sequences, context);
        let Batch { tokens_bt, targets_bt } = batch::batch(&windows, context, plan.device);
        clock.lap(|seconds| &mut seconds.data);
        let of_micro =
            precision::run(training.precision, plan.device, || model.losses(&tokens_bt, &targets_bt))?;
        clock.lap(|seconds| &mut seconds.forward);
        let total = of_micro.total();
        let part = if num_micro == 1 { total } else { total / num_micro as f64 };
        sums.add(&state.params, &part, micro, share)?;
        losses = losses.and(&of_micro, num_micro);
        clock.lap(|seconds| &mut seconds.backward);
    }
    let losses = plan.team.losses_of_step(losses)?;
    let gradients = plan.team.gradients(sums)?;
    clock.lap(|seconds| &mut seconds.communication);
    Ok((losses, gradients))
}

impl Plan {
    /// What a checkpoint of `state` says of the run.
    pub fn record(&self, spec: &Spec, state: &State) -> Record {
        let State { step, seconds, .. } = *state;
        Record {
            format_version: Record::FORMAT_VERSION,
            model: spec.name.to_owned(),
            spec_hash: spec.hash.to_owned(),
            step,
            steps: self.training.steps,
            tokens: step * self.tokens_per_step(spec),
            seed: self.seed,
            lr_scale: self.lr_scale,
            threads: self.threads,
            processes: self.team.world(),
            seconds,
            init_from: self.init_from.clone(),
            data: self.corpus.data.clone(),
            val: self.held_out.iter().map(HeldOut::recorded).collect(),
            corpus: self.fingerprint.clone(),
            roll_backs: state.roll_backs.clone(),
        }
    }

    /// The scale vectors after `state.step` steps, with the decay of the last of them.
    pub fn scales(&self, spec: &Spec, state: &State) -> Vec<ScaleStats> {
        let last = state.step.saturating_sub(1);
        scale_stats::measure(spec, &state.params, self.training.factors(last).scaled(self.lr_scale))
    }

    /// The sharpness of the loss on the run's first windows, if it was asked for and is a number.
    fn sharpness<M: Model>(&self, state: &State) -> Option<f64> {
        if !self.observation.sharpness {
            return None;
        }
        let context = M::SPEC.context as usize;
        let num_sequences = (NUM_SHARPNESS_TOKENS / context.max(1)).max(1) as u64;
        let windows = self.corpus.training_windows(self.seed, 0..num_sequences, context);
        let Batch { tokens_bt, targets_bt } = batch::batch(&windows, context, self.device);
        let value = sharpness::sharpness::<M>(&state.params, &tokens_bt, &targets_bt, self.seed, self.device);
        Some(value).filter(|value| value.is_finite())
    }

    /// Tokens in a batch.
    pub fn tokens_per_step(&self, spec: &Spec) -> u64 {
        self.training.batch * spec.context as u64
    }
}
