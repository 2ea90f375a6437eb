//! Steps as they happen in, rows of the run folder's files out; losses stay on the device until several can be fetched at once.

use crate::checkpoint::State;
use crate::events::Events;
use crate::losses::Losses;
use crate::metrics::{EvalRow, METRICS_FILE, MetricsError, Rows, SCALES_FILE, ScaleRow, TrainRow};
use crate::progress::Report;
use crate::run::RunError;
use crate::scale_stats::ScaleStats;
use crate::train::Plan;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tch::{Kind, Tensor};

/// The open files of a run, and the steps not yet written to them.
#[derive(Debug)]
pub struct Log {
    metrics: Rows,
    scales: Rows,
    /// None where another process writes them; a resumption makes them anew from the rows.
    events: Option<Events>,
    pending: Vec<Pending>,
    tokens_per_step: u64,
    /// Training time since the last fetch.
    since_fetch: Duration,
    /// Training time and steps of this sitting.
    sitting: (Duration, u64),
    last_loss: Option<f64>,
    /// The step up to which rows have been written.
    written: u64,
}

#[derive(Debug)]
struct Pending {
    step: u64,
    bytes_sent: u64,
    lr: f64,
    losses: Losses,
    grad_norm: Tensor,
}

impl Log {
    /// Opens the run's files where `state` left them, in the process that writes them.
    pub fn open(plan: &Plan, state: &State, tokens_per_step: u64) -> Result<Self, MetricsError> {
        let leads = plan.team.leads();
        let open = |name| {
            let path = plan.out.join(name);
            if leads { Rows::open(&path, state.step) } else { Ok(Rows::elsewhere(&path)) }
        };
        let (metrics, scales) = (open(METRICS_FILE)?, open(SCALES_FILE)?);
        Ok(Self {
            metrics,
            scales,
            // From what those files hold now.
            events: leads.then(|| Events::open(&plan.out, state.seconds)).transpose()?,
            pending: Vec::new(),
            tokens_per_step,
            since_fetch: Duration::ZERO,
            sitting: (Duration::ZERO, 0),
            last_loss: None,
            written: state.step,
        })
    }

    /// Notes a step: what it was worth is not known yet.
    pub fn step(&mut self, step: u64, lr: f64, losses: Losses, grad_norm: Tensor, bytes_sent: u64) {
        self.pending.push(Pending { step, bytes_sent, lr, losses, grad_norm });
    }

    /// Writes what is noted in place of the process that wrote until now. The result waits until it is on the disk.
    pub fn rescue(
        &mut self,
        plan: &Plan,
        state: &State,
    ) -> Result<impl FnOnce() -> Result<(), MetricsError> + Send + use<>, RunError> {
        self.metrics = Rows::take_over(&plan.out.join(METRICS_FILE), self.written)?;
        self.scales = Rows::take_over(&plan.out.join(SCALES_FILE), self.written)?;
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

    /// Fetches the losses of the noted steps, writes their rows, and says how it goes. A loss that is no number ends the run.
    pub fn fetch(&mut self, state: &mut State, began: Instant) -> Result<Report, RunError> {
        // The time until then is training, too.
        if let Some(last) = self.pending.last() {
            let _ = last.grad_norm.double_value(&[]);
        }
        self.spent(state, began);
        let num_steps = self.pending.len() as u64;
        self.sitting.1 += num_steps;
        let tokens_per_second = per_second(num_steps * self.tokens_per_step, self.since_fetch);
        self.since_fetch = Duration::ZERO;
        let (loss, lr) = self.write(state.seconds, tokens_per_second)?;
        Ok(Report { step: state.step, loss, lr, tokens_per_second })
    }

    /// Writes the rows of the noted steps. The results are their mean loss, and the last learning rate.
    fn write(&mut self, seconds: f64, tokens_per_second: f64) -> Result<(f64, f64), RunError> {
        let pending = std::mem::take(&mut self.pending);
        let losses = numbers(pending.iter().map(|step| &step.losses.cross_entropy));
        let sides = numbers(pending.iter().flat_map(|step| step.losses.side.iter().map(|side| &side.value)));
        let mut sides = sides.into_iter();
        let norms = numbers(pending.iter().map(|step| &step.grad_norm));
        let num_steps = pending.len();
        let (mut mean, mut last_lr) = (0.0, 0.0);
        for ((Pending { step, bytes_sent, lr, losses, .. }, loss), grad_norm) in
            pending.into_iter().zip(losses).zip(norms)
        {
            let side: BTreeMap<&str, f64> = losses
                .side
                .iter()
                .map(|side| side.name)
                .zip(sides.by_ref().take(losses.side.len()))
                .collect();
            if !loss.is_finite() || !grad_norm.is_finite() {
                self.metrics.flush()?;
                return Err(RunError::Diverged { step, loss, grad_norm });
            }
            let tokens = step * self.tokens_per_step;
            let bytes_sent = Some(bytes_sent).filter(|&bytes| bytes > 0);
            let row =
                TrainRow { step, tokens, loss, side, lr, grad_norm, tokens_per_second, seconds, bytes_sent };
            self.metrics.push(&row)?;
            self.draw(&row)?;
            mean += loss / num_steps as f64;
            last_lr = lr;
            self.last_loss = Some(loss);
            self.written = step;
        }
        self.metrics.flush()?;
        self.events.as_mut().map_or(Ok(()), Events::flush)?;
        Ok((mean, last_lr))
    }

    /// Writes the row of a validation, and one for each scale vector.
    pub fn validation(
        &mut self,
        step: u64,
        val_loss: f64,
        scales: &[ScaleStats],
    ) -> Result<(), MetricsError> {
        let row = EvalRow { step, val_loss };
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
        let (metrics, scales) = (self.metrics.sync()?, self.scales.sync()?);
        Ok(move || metrics().and_then(|()| scales()))
    }

    /// The loss of the last step fetched.
    pub fn last_loss(&self) -> Option<f64> {
        self.last_loss
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
