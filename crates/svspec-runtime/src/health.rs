//! The loss of a step and the norms of its gradients in, whether the step may be taken out; on their device, and not waited for.

mod dead;
mod fault;

pub use dead::dead_scales;
pub use fault::{Fault, Kind, RollBack};

use crate::spec::{Health, Remedy};
use tch::{Device, Kind as Type, Tensor};

/// A running mean forgets what is this many steps back, and there is none before.
const MEMORY: f64 = 100.0;
/// So many steps in a row may be passed over, and so many times may a run go back to one checkpoint.
pub const MOST_SKIPS: u64 = 10;
/// See [`MOST_SKIPS`].
pub const MOST_ROLL_BACKS: usize = 3;
/// The name of [`Guard::memory`] among what a checkpoint remembers.
pub const MEMORY_NAME: &str = "health.losses";

/// Judges one step after another.
#[derive(Debug)]
pub struct Guard {
    health: Health,
    /// f64, `[3]`: how many losses, their running mean and variance.
    memory: Tensor,
    /// A truth: a fault has ended the sitting, and no step is taken any more.
    is_halted: Tensor,
}

/// What was found of a step.
#[derive(Debug)]
pub struct Verdict {
    /// An f32 scalar: 1 if the step is not to be taken, otherwise 0.
    pub skip: Tensor,
    /// f64, `[2]`: whether the loss is a spike, and above which loss it would be one.
    pub facts: Tensor,
}

/// The [`Verdict::skip`] of a step that is taken.
pub fn no_skip(device: Device) -> Tensor {
    Tensor::zeros([0_i64; 0], (Type::Float, device))
}

impl Guard {
    /// Before the first step.
    pub fn new(health: Health, device: Device) -> Self {
        Self {
            health,
            memory: Tensor::zeros([3], (Type::Double, device)),
            is_halted: Tensor::zeros([0_i64; 0], (Type::Bool, device)),
        }
    }

    /// What it remembers: its own tensor, `[3]` in f64.
    pub fn memory(&self) -> Tensor {
        self.memory.shallow_clone()
    }

    /// Judges the step of `loss`, a scalar, and of the `norms` of all gradients, and remembers the loss.
    pub fn judge(&mut self, loss: &Tensor, norms: &Tensor) -> Verdict {
        tch::no_grad(|| {
            let loss = loss.to_kind(Type::Double);
            let is_finite = loss.isfinite().logical_and(&norms.isfinite().all());
            let [count, mean, variance] = [0, 1, 2].map(|index| self.memory.get(index));
            let spread = variance.sqrt() * self.health.on_spike.deviations;
            let limit = (&mean + spread).where_scalarother(&count.ge(MEMORY), f64::INFINITY);
            let is_spike = is_finite.logical_and(&loss.gt_tensor(&limit));
            let not_finite = is_finite.logical_not();

            let of = |fault: &Tensor, remedy: Remedy, wanted: fn(Remedy) -> bool| {
                if wanted(remedy) { fault.shallow_clone() } else { fault.zeros_like() }
            };
            let ends = |remedy: Remedy| remedy.ends_the_sitting();
            let passes = |remedy: Remedy| remedy != Remedy::Log;
            let on_spike = self.health.on_spike.remedy;
            let skip = self.is_halted.logical_or(&not_finite).logical_or(&of(&is_spike, on_spike, passes));
            self.is_halted = self
                .is_halted
                .logical_or(&of(&not_finite, self.health.on_non_finite, ends))
                .logical_or(&of(&is_spike, on_spike, ends));

            // A spike counts as the limit: one does not widen it much, and a loss that stays high is a spike no longer.
            let seen = loss.minimum(&limit);
            let rate = (&count + 1.0).reciprocal().clamp_min(1.0 / MEMORY);
            let change = seen - &mean;
            let step = &rate * &change;
            let next = Tensor::stack(
                &[&count + 1.0, &mean + &step, (rate.ones_like() - &rate) * (&variance + &step * &change)],
                0,
            );
            let counts = is_finite.logical_and(&self.is_halted.logical_not());
            self.memory = next.where_self(&counts, &self.memory);
            let facts = [is_spike.to_kind(Type::Double), limit];
            Verdict { skip: skip.to_kind(Type::Float), facts: Tensor::stack(&facts, 0) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spike;

    /// The verdicts on steps with these losses, after [`MEMORY`] steps with losses around 2: whether each is taken, and is a spike.
    fn verdicts(health: Health, losses: &[f64]) -> Vec<(bool, bool)> {
        let mut guard = Guard::new(health, Device::Cpu);
        let norms = Tensor::from_slice(&[1.0_f32, 0.5]);
        let usual = (0..MEMORY as i32).map(|step| 2.0 + 0.1 * f64::from(step % 2));
        let mut judge = |loss: f64| guard.judge(&Tensor::from(loss), &norms);
        let before: Vec<f64> = usual.map(|loss| judge(loss).skip.double_value(&[])).collect();
        assert!(before.iter().all(|skip| *skip == 0.0));
        let verdict = |loss: &f64| {
            let verdict = judge(*loss);
            (verdict.skip.double_value(&[]) == 0.0, verdict.facts.double_value(&[0]) > 0.5)
        };
        losses.iter().map(verdict).collect()
    }

    fn on_spike(remedy: Remedy) -> Health {
        Health { on_spike: Spike { remedy, deviations: 6.0 }, ..Health::USUAL }
    }

    #[test]
    fn a_loss_far_above_those_before_it_is_a_spike() {
        // The mean is 2.05 and the deviation 0.05.
        let losses = [2.3, 2.5, 2.1];
        assert_eq!(verdicts(on_spike(Remedy::Log), &losses), [(true, false), (true, true), (true, false)]);
        assert_eq!(verdicts(on_spike(Remedy::Skip), &losses), [(true, false), (false, true), (true, false)]);
        for remedy in [Remedy::Stop, Remedy::RollBack] {
            assert_eq!(verdicts(on_spike(remedy), &losses), [(true, false), (false, true), (false, false)]);
        }
    }

    #[test]
    fn what_is_not_finite_is_not_taken() {
        let health = Health { on_non_finite: Remedy::Skip, ..Health::USUAL };
        for (health, goes_on) in [(health, true), (Health::USUAL, false)] {
            let taken = verdicts(health, &[f64::NAN, 2.0, f64::INFINITY]);
            assert_eq!(taken, [(false, false), (goes_on, false), (false, false)]);
            let mut guard = Guard::new(health, Device::Cpu);
            let norms = Tensor::from_slice(&[1.0_f32, f32::INFINITY]);
            let verdict = guard.judge(&Tensor::from(2.0), &norms);
            assert!(verdict.skip.double_value(&[]) > 0.5);
        }
    }

    #[test]
    fn mean_and_variance_are_those_of_the_losses() {
        let losses: Vec<f64> = (0..50).map(|step| 3.0 + f64::from(step * step % 7)).collect();
        let mut guard = Guard::new(Health::USUAL, Device::Cpu);
        let norms = Tensor::from_slice(&[1.0_f32]);
        for loss in &losses {
            let _ = guard.judge(&Tensor::from(*loss), &norms);
        }
        let mean = losses.iter().sum::<f64>() / 50.0;
        let variance = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / 50.0;
        let memory = Vec::<f64>::try_from(guard.memory()).unwrap();
        assert!((memory[1] - mean).abs() < 1e-12 && (memory[2] - variance).abs() < 1e-12, "{memory:?}");
    }

    #[test]
    fn a_loss_that_stays_high_is_a_spike_no_longer() {
        let found = verdicts(on_spike(Remedy::Skip), &[3.0; 60]);
        assert!(found[0].1 && !found[59].1, "{found:?}");
    }
}
