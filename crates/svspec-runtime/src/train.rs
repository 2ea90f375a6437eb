//! A plan and a state in, a trained model in a run folder out: the training loop.

use crate::batch::{self, Batch};
use crate::checkpoint::{Keep, Record, Snapshot, State, Writer};
use crate::corpus::{Corpus, Fingerprint, Source};
use crate::dist::{self, Place, Sums, Team};
use crate::log::Log;
use crate::losses::{Load, Losses};
use crate::model::Model;
use crate::precision;
use crate::progress::Progress;
use crate::run::RunError;
use crate::scale_stats;
use crate::spec::{OptimizerState, Spec, Training};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;
use tch::{Device, Kind, Tensor};

/// Losses are fetched from the device once in so many steps: each fetch waits for it.
const STEPS_PER_FETCH: u64 = 10;
/// Tokens in the validation windows.
const NUM_VALIDATION_TOKENS: usize = 32_768;

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
    /// Which corpus that is.
    pub fingerprint: Fingerprint,
    /// Where the optimizer's state is among processes.
    pub optimizer_state: OptimizerState,
    /// The processes that train together.
    pub team: Rc<Team>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ending {
    /// All steps are done.
    Finished {
        /// The loss of the last step; none if there was no step left to take.
        train_loss: Option<f64>,
        /// The loss on the validation windows.
        val_loss: f64,
        /// Over the steps of this sitting; validation and checkpoints left out.
        tokens_per_second: f64,
    },
    /// It was asked to stop, and left a checkpoint.
    Interrupted {
        /// Steps taken.
        step: u64,
    },
}

/// Trains `model`, whose parameters `state` holds, to the plan's end, or until `stop` says so after a step. A process that loses the others
/// leaves a checkpoint.
pub fn train<M: Model>(
    model: &M,
    plan: &Plan,
    state: &mut State,
    stop: &dyn Fn(u64) -> bool,
    progress: &mut Progress,
) -> Result<Ending, RunError> {
    let mut log = Log::open(plan, state, plan.tokens_per_step(M::SPEC))?;
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
    let record = plan.record(spec, state.step, state.seconds);
    let snapshot = Snapshot::take(state, state.optimizer.state(), record, plan.device)?;
    checkpoints.begin(snapshot, move || Ok(sync()?))?;
    Ok(checkpoints.finish()?)
}

fn steps<M: Model>(
    model: &M,
    plan: &Plan,
    state: &mut State,
    stop: &dyn Fn(u64) -> bool,
    progress: &mut Progress,
    log: &mut Log,
    mut checkpoints: Option<&mut Writer>,
) -> Result<Ending, RunError> {
    let training = &plan.training;
    let mut sums = plan.team.sums(&state.params, plan.optimizer_state)?;
    let mut val_loss = None;
    if state.step == 0 {
        val_loss = Some(validate(model, plan)?);
        log.validation(0, val_loss.unwrap_or_default(), &scale_stats::measure(M::SPEC, &state.params))?;
    }
    state.optimizer.count_from(plan.seed, state.step);
    let mut is_told = false;
    while state.step < training.steps {
        let factors = training.factors(state.step).scaled(plan.lr_scale);
        let began = Instant::now();
        let (losses, gradients) = losses_and_gradients(model, plan, state, &mut sums)?;
        let stops = plan.team.any(stop(state.step + 1))?;
        // From here on the step is taken, and noted, even if others are lost.
        let grad_norm = plan.team.step(&mut state.optimizer, &gradients, factors, &sums)?;
        losses.loads.iter().for_each(Load::correct);
        state.step += 1;
        let (traffic, world) = (plan.team.traffic(), plan.team.world());
        let sent = traffic.sent(world);
        if world > 1 && !std::mem::replace(&mut is_told, true) {
            let formula = traffic.formula(world);
            progress.say(format_args!("each process sends {sent} bytes a step: {formula}"));
        }
        log.step(state.step, training.lr * factors.lr, losses, grad_norm, sent);
        progress.advance();

        let last = state.step == training.steps;
        let stopped = !last && stops;
        let validates = last || state.step.is_multiple_of(training.eval_every);
        let saves = last || stopped || state.step.is_multiple_of(training.checkpoint_every);
        if validates || saves || state.step.is_multiple_of(STEPS_PER_FETCH) {
            progress.report(log.fetch(state, began)?);
        } else {
            log.spent(state, began);
        }
        if validates {
            let loss = validate(model, plan)?;
            val_loss = Some(loss);
            log.validation(state.step, loss, &scale_stats::measure(M::SPEC, &state.params))?;
            progress
                .say(format_args!("step {:>6}/{}  validation loss {loss:.4}", state.step, training.steps));
        }
        if saves {
            let remembered =
                plan.team.gather(M::SPEC, &state.params, &state.optimizer, plan.optimizer_state)?;
            if let Some(checkpoints) = checkpoints.as_mut() {
                let sync = log.sync()?;
                let record = plan.record(M::SPEC, state.step, state.seconds);
                let snapshot = Snapshot::take(state, remembered, record, plan.device)?;
                checkpoints.begin(snapshot, move || Ok(sync()?))?;
            }
        }
        if stopped {
            checkpoints.map_or(Ok(()), Writer::finish)?;
            return Ok(Ending::Interrupted { step: state.step });
        }
    }
    checkpoints.map_or(Ok(()), Writer::finish)?;
    let val_loss = val_loss.map_or_else(|| validate(model, plan), Ok)?;
    Ok(Ending::Finished { train_loss: log.last_loss(), val_loss, tokens_per_second: log.tokens_per_second() })
}

/// The losses of the step's batch, not waited for, and the gradient of every parameter: this process's share of the batch in
/// micro-batches, each backward added to the ones before, and the shares of all processes.
fn losses_and_gradients<M: Model>(
    model: &M,
    plan: &Plan,
    state: &State,
    sums: &mut Sums,
) -> Result<(Losses, Vec<Tensor>), RunError> {
    let training = &plan.training;
    let share = plan.team.share(training)?;
    let num_micro = training.batch / share.micro_batch;
    let context = M::SPEC.context as usize;
    let mut losses = Losses::plain(Tensor::zeros([0_i64; 0], (Kind::Float, plan.device)));
    for micro in 0..share.num_micro {
        let first = state.step * training.batch + share.first + micro * share.micro_batch;
        let sequences = first..first + share.micro_batch;
        let windows = plan.corpus.training_windows(plan.seed, sequences, context);
        let Batch { tokens_bt, targets_bt } = batch::batch(&windows, context, plan.device);
        let of_micro =
            precision::run(training.precision, plan.device, || model.losses(&tokens_bt, &targets_bt))?;
        let total = of_micro.total();
        let part = if num_micro == 1 { total } else { total / num_micro as f64 };
        sums.add(&state.params, &part, micro, share)?;
        losses = losses.and(&of_micro, num_micro);
    }
    let losses = plan.team.losses_of_step(losses)?;
    Ok((losses, plan.team.gradients(sums)?))
}

/// The mean loss over the validation windows, in the precision of training: of several sources in their shares.
fn validate<M: Model>(model: &M, plan: &Plan) -> Result<f64, RunError> {
    let mut mean = 0.0;
    for source in &plan.corpus.sources {
        mean += source.share * validate_source(model, plan, source)?;
    }
    Ok(mean)
}

/// Processes take turns with the micro-batches; the losses are added in the order of the windows, however many processes there are.
fn validate_source<M: Model>(model: &M, plan: &Plan, source: &Source) -> Result<f64, RunError> {
    let training = &plan.training;
    let context = M::SPEC.context as usize;
    let starts = batch::validation_starts(source.val.len(), context, NUM_VALIDATION_TOKENS);
    let micro_batches: Vec<&[usize]> = starts.chunks(training.micro_batch.max(1) as usize).collect();
    let losses = Tensor::zeros([micro_batches.len() as i64], (Kind::Double, plan.device));
    let Place { rank, world, .. } = *plan.team.place();
    for (index, starts) in micro_batches.iter().enumerate().skip(rank).step_by(world) {
        let mut windows = Vec::with_capacity(starts.len() * (context + 1));
        for &start in *starts {
            source.val.extend(start, context + 1, &mut windows);
        }
        let Batch { tokens_bt, targets_bt } = batch::batch(&windows, context, plan.device);
        let loss = tch::no_grad(|| {
            precision::run(training.precision, plan.device, || model.loss(&tokens_bt, &targets_bt))
        })?;
        losses.get(index as i64).copy_(&(loss.to_kind(Kind::Double) * starts.len() as f64));
    }
    let losses = Vec::<f64>::try_from(plan.team.sum(&losses)?).unwrap_or_default();
    Ok(losses.iter().sum::<f64>() / starts.len() as f64)
}

impl Plan {
    /// What a checkpoint after `step` steps, which took `seconds`, says of the run.
    pub fn record(&self, spec: &Spec, step: u64, seconds: f64) -> Record {
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
            corpus: self.fingerprint.clone(),
        }
    }

    /// Tokens in a batch.
    pub fn tokens_per_step(&self, spec: &Spec) -> u64 {
        self.training.batch * spec.context as u64
    }
}
