//! Steps as they happen in, rows of the run folder's files out; losses stay on the device until several can be fetched at once.

mod group;

use crate::checkpoint::State;
use crate::clock::Seconds;
use crate::device;
use crate::events::Events;
use crate::health::{Fault, Kind as FaultKind, MOST_SKIPS, Verdict};
use crate::losses::Losses;
use crate::metrics::{
    EvalRow, HEALTH_FILE, METRICS_FILE, MetricsError, Rows, SCALES_FILE, ScaleRow, TrainRow,
};
use crate::observation::Observation;
use crate::progress::Report;
use crate::run::RunError;
use crate::scale_stats::ScaleStats;
use crate::spec::{Health, Remedy, Spec};
use crate::train::Plan;
use crate::validation::Validation;
use group::Group;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tch::{Device, Kind, Tensor};

/// The open files of a run, and the steps not yet written to them.
#[derive(Debug)]
pub struct Log {
    metrics: Rows,
    scales: Rows,
    faults: Rows,
    health: Health,
    /// The parameters that gradients move.
    trained: Vec<String>,
    groups: Vec<Group>,
    /// The peak learning rate, that of metrics.
    lr: f64,
    /// How many steps have been passed over, up to the last one.
    num_skips: u64,
    /// The parameters whose gradients were 0 in all steps of the last fetch.
    unreached: BTreeSet<String>,
    /// None where another process writes them; a resumption makes them anew from the rows.
    events: Option<Events>,
    pending: Vec<Step>,
    tokens_per_step: u64,
    flops_per_token: f64,
    device: Device,
    observation: Observation,
    num_processes: usize,
    /// Training time since the last fetch.
    since_fetch: Duration,
    /// Training time and steps of this sitting.
    sitting: (Duration, u64),
    /// What the measured steps of this sitting took.
    measured: Vec<Seconds>,
    last_loss: Option<f64>,
    /// The step up to which rows have been written.
    written: u64,
}

/// What has been written.
#[derive(Debug, Default)]
struct Written {
    /// The mean of the losses.
    loss: f64,
    /// The last learning rate.
    lr: f64,
    /// What was wrong.
    faults: Vec<Fault>,
}

/// A step, before its row is written.
#[derive(Debug)]
pub struct Step {
    /// Counted from 1.
    pub step: u64,
    /// What the schedule, and the command line, multiply every group's learning rate by.
    pub lr_factor: f64,
    /// What the batch was worth.
    pub losses: Losses,
    /// Of the clipped gradients together.
    pub grad_norm: Tensor,
    /// Of each gradient.
    pub norms: Tensor,
    /// Whether it was taken.
    pub verdict: Verdict,
    /// To other processes.
    pub bytes_sent: u64,
    /// Where its time went, if it was measured.
    pub seconds: Option<Seconds>,
}

impl Log {
    /// Opens the run's files where `state` left them, in the process that writes them.
    pub fn open(spec: &'static Spec, plan: &Plan, state: &State) -> Result<Self, MetricsError> {
        let leads = plan.team.leads();
        let open = |name| {
            let path = plan.out.join(name);
            if leads { Rows::open(&path, state.step) } else { Ok(Rows::elsewhere(&path)) }
        };
        let (metrics, scales, mut faults) = (open(METRICS_FILE)?, open(SCALES_FILE)?, open(HEALTH_FILE)?);
        if leads {
            // A run that died before it could say that it goes back has done so all the same.
            let num_said = num_roll_backs(&plan.out.join(HEALTH_FILE))?;
            state.roll_backs.iter().skip(num_said).try_for_each(|roll_back| faults.push(roll_back))?;
        }
        let name = |index| state.params.iter().nth(index).map(|param| param.name.clone());
        Ok(Self {
            metrics,
            scales,
            faults,
            health: plan.training.health,
            trained: state.optimizer.trained().filter_map(name).collect(),
            groups: Group::all(spec, state),
            lr: plan.training.lr,
            num_skips: 0,
            unreached: BTreeSet::new(),
            // From what those files hold now.
            events: leads.then(|| Events::open(&plan.out, state.seconds)).transpose()?,
            pending: Vec::new(),
            tokens_per_step: plan.tokens_per_step(spec),
            flops_per_token: spec.flops_per_token,
            device: plan.device,
            observation: plan.observation,
            num_processes: plan.team.world(),
            since_fetch: Duration::ZERO,
            sitting: (Duration::ZERO, 0),
            measured: Vec::new(),
            last_loss: None,
            written: state.step,
        })
    }

    /// Notes a step: what it was worth is not known yet.
    pub fn step(&mut self, step: Step) {
        self.pending.push(step);
    }

    /// Writes what is noted in place of the process that wrote until now. The result waits until it is on the disk.
    pub fn rescue(
        &mut self,
        plan: &Plan,
        state: &State,
    ) -> Result<impl FnOnce() -> Result<(), MetricsError> + Send + use<>, RunError> {
        self.metrics = Rows::take_over(&plan.out.join(METRICS_FILE), self.written)?;
        self.scales = Rows::take_over(&plan.out.join(SCALES_FILE), self.written)?;
        self.faults = Rows::take_over(&plan.out.join(HEALTH_FILE), self.written)?;
        self.write(state.seconds, 0.0)?;
        Ok(self.sync()?)
    }

    /// Counts the time since `began` as training.
    pub fn spent(&mut self, state: &mut State, began: Instant) {
        let elapsed = began.elapsed();
        state.seconds += elapsed.as_secs_f64();
        self.since_fetch += elapsed;
        self.sitting.0 += elapsed;
    }

    /// Fetches the losses of the noted steps, writes their rows, and says how it goes, and what is wrong. If a fault ends the sitting it
    /// is the last one, and there are no rows from its step on.
    pub fn fetch(&mut self, state: &mut State, began: Instant) -> Result<(Report, Vec<Fault>), MetricsError> {
        // The time until then is training, too.
        if let Some(last) = self.pending.last() {
            let _ = last.grad_norm.double_value(&[]);
        }
        self.spent(state, began);
        let num_steps = self.pending.len() as u64;
        self.sitting.1 += num_steps;
        let tokens_per_second = per_second(num_steps * self.tokens_per_step, self.since_fetch);
        self.since_fetch = Duration::ZERO;
        let Written { loss, lr, faults } = self.write(state.seconds, tokens_per_second)?;
        Ok((Report { step: state.step, loss, lr, tokens_per_second }, faults))
    }

    /// Writes the rows of the noted steps.
    fn write(&mut self, seconds: f64, tokens_per_second: f64) -> Result<Written, MetricsError> {
        let pending = std::mem::take(&mut self.pending);
        let losses = numbers(pending.iter().map(|step| &step.losses.cross_entropy));
        let sides = numbers(pending.iter().flat_map(|step| step.losses.side.iter().map(|side| &side.value)));
        let mut sides = sides.into_iter();
        let grad_norms = numbers(pending.iter().map(|step| &step.grad_norm));
        let norms = lists(pending.iter().map(|step| &step.norms));
        let facts = lists(pending.iter().map(|step| &step.verdict.facts));
        self.unreached = unreached(&self.trained, &norms);
        let (mut written, mut sum, mut count) = (Written::default(), 0.0, 0.0);
        let numbers = losses.into_iter().zip(grad_norms).zip(norms.iter().zip(facts));
        for (pending, ((loss, grad_norm), (norms, facts))) in pending.into_iter().zip(numbers) {
            let Step { step, bytes_sent, lr_factor, losses, seconds: step_seconds, .. } = pending;
            let lr = self.lr * lr_factor;
            let names = losses.side.iter().map(|side| side.name);
            let side: BTreeMap<&str, f64> = names.zip(sides.by_ref().take(losses.side.len())).collect();
            let is_spike = facts.first().is_some_and(|is_spike| *is_spike > 0.0);
            let limit = facts.get(1).copied().filter(|_| is_spike);
            let fault = Fault::of_step(&self.health, step, loss, limit, norms, &self.trained);
            let ends = fault.as_ref().is_some_and(|fault| fault.remedy.ends_the_sitting());
            let is_passed_over = fault.as_ref().is_some_and(Fault::is_passed_over);
            self.num_skips = if is_passed_over { self.num_skips + 1 } else { 0 };
            if let Some(fault) = fault {
                self.faults.push(&fault)?;
                written.faults.push(fault);
            }
            if ends {
                break;
            }
            self.measured.extend(step_seconds);
            written.lr = lr;
            self.written = step;
            // JSON has no number for the others.
            if loss.is_finite() && grad_norm.is_finite() {
                let tokens = step * self.tokens_per_step;
                let bytes_sent = Some(bytes_sent).filter(|&bytes| bytes > 0);
                let flops_per_second = tokens_per_second * self.flops_per_token;
                let row = TrainRow {
                    step,
                    tokens,
                    loss,
                    side,
                    lr,
                    lrs: group::lrs(&self.groups, lr_factor),
                    grad_norm,
                    grad_norms: group::grad_norms(&self.groups, norms),
                    tokens_per_second,
                    seconds,
                    flops_per_second,
                    mfu: self.observation.mfu(flops_per_second, self.num_processes),
                    peak_memory_bytes: step_seconds.and_then(|_| device::peak_memory(self.device)),
                    step_seconds,
                    bytes_sent,
                };
                self.metrics.push(&row)?;
                self.draw(&row)?;
                (sum, count) = (sum + loss, count + 1.0);
                self.last_loss = Some(loss);
            }
        }
        if self.num_skips >= MOST_SKIPS {
            let kind = FaultKind::Skips(self.num_skips);
            let fault = Fault { step: self.written, kind, remedy: Remedy::Stop };
            self.faults.push(&fault)?;
            written.faults.push(fault);
        }
        written.loss = sum / count;
        self.metrics.flush()?;
        self.faults.flush()?;
        self.events.as_mut().map_or(Ok(()), Events::flush)?;
        Ok(written)
    }

    /// Writes what is wrong with scale vectors.
    pub fn faults(&mut self, faults: &[Fault]) -> Result<(), MetricsError> {
        faults.iter().try_for_each(|fault| self.faults.push(fault))?;
        self.faults.flush()
    }

    /// The parameters whose gradients were 0 in all steps of the last fetch.
    pub fn unreached(&self) -> &BTreeSet<String> {
        &self.unreached
    }

    /// Writes the row of a validation, and one for each scale vector.
    pub fn validation(
        &mut self,
        step: u64,
        validation: &Validation,
        sharpness: Option<f64>,
        scales: &[ScaleStats],
    ) -> Result<(), MetricsError> {
        let Validation { loss: val_loss, losses: val_losses } = validation;
        let row = EvalRow { step, val_loss: *val_loss, val_losses, sharpness };
        self.metrics.push(&row)?;
        self.draw(&row)?;
        for stats in scales {
            let row = ScaleRow { step, stats };
            self.scales.push(&row)?;
            self.draw(&row)?;
        }
        self.metrics.flush()?;
        self.scales.flush()?;
        self.events.as_mut().map_or(Ok(()), Events::flush)
    }

    fn draw(&mut self, row: &impl Serialize) -> Result<(), MetricsError> {
        self.events.as_mut().map_or(Ok(()), |events| events.row(row))
    }

    /// What waits until all rows so far are on the disk.
    pub fn sync(&mut self) -> Result<impl FnOnce() -> Result<(), MetricsError> + Send + use<>, MetricsError> {
        let (metrics, scales, faults) = (self.metrics.sync()?, self.scales.sync()?, self.faults.sync()?);
        Ok(move || metrics().and_then(|()| scales()).and_then(|()| faults()))
    }

    /// The loss of the last step fetched.
    pub fn last_loss(&self) -> Option<f64> {
        self.last_loss
    }

    /// What the measured steps of this sitting took.
    pub fn measured(&self) -> &[Seconds] {
        &self.measured
    }

    /// The speed of this sitting.
    pub fn tokens_per_second(&self) -> f64 {
        let (time, steps) = self.sitting;
        per_second(steps * self.tokens_per_step, time)
    }
}

fn per_second(tokens: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { tokens as f64 / time.as_secs_f64() }
}

/// Scalars, fetched from their device together.
fn numbers<'a>(scalars: impl Iterator<Item = &'a Tensor>) -> Vec<f64> {
    let scalars: Vec<Tensor> = scalars.map(|scalar| scalar.to_kind(Kind::Double)).collect();
    if scalars.is_empty() {
        return Vec::new();
    }
    Vec::<f64>::try_from(Tensor::stack(&scalars, 0)).unwrap_or_default()
}

/// The same of lists of one length.
fn lists<'a>(lists: impl Iterator<Item = &'a Tensor>) -> Vec<Vec<f64>> {
    let lists: Vec<Tensor> = lists.map(|list| list.to_kind(Kind::Double)).collect();
    if lists.is_empty() {
        return Vec::new();
    }
    Vec::<Vec<f64>>::try_from(Tensor::stack(&lists, 0)).unwrap_or_default()
}

/// Those of `names` whose norm is 0 in each step, of at least one.
fn unreached(names: &[String], norms: &[Vec<f64>]) -> BTreeSet<String> {
    let is_zero = |index: usize| norms.iter().all(|step| step.get(index) == Some(&0.0));
    let found = names.iter().enumerate().filter(|(index, _)| !norms.is_empty() && is_zero(*index));
    found.map(|(_, name)| name.clone()).collect()
}

/// How many rows in `path` are of returns to earlier steps.
fn num_roll_backs(path: &Path) -> Result<usize, MetricsError> {
    let text = fs::read_to_string(path).map_err(|source| MetricsError::new(path, source))?;
    let is_one = |line: &&str| serde_json::from_str::<Value>(line).is_ok_and(|row| row.get("at").is_some());
    Ok(text.lines().filter(is_one).count())
}
