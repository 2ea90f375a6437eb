//! A model that falls ill where its text holds a byte that no text holds.

use crate::hand::{ADAMW, Hand, Size};
use crate::tiny::Tiny;
use std::marker::PhantomData;
use svspec_runtime::spec::{Algorithm, Health, Remedy, Schedule, Spec, Spike, Training};
use svspec_runtime::{Model, Params};
use tch::Tensor;

/// The loss of a window with this byte is no number.
pub const POISON: u8 = 1;
/// The loss of a window with this byte is far too high.
pub const FEVER: u8 = 2;

/// What is done about a model's faults.
pub trait Treatment {
    const NAME: &'static str;
    const HEALTH: Health;
    /// What the last scale vector is multiplied by.
    const PULSE: f64 = 1.0;
    const ALGORITHM: Algorithm = ADAMW;
}

/// [`Hand`], with them.
pub struct Ill<T>(Hand<Patient<T>>);

struct Patient<T>(PhantomData<T>);

pub const fn health(on_non_finite: Remedy, on_spike: Remedy, on_dead_scale: Remedy) -> Health {
    Health { on_non_finite, on_spike: Spike { remedy: on_spike, deviations: 8.0 }, on_dead_scale }
}

impl<T: Treatment> Size for Patient<T> {
    const NAME: &'static str = T::NAME;
    const CONTEXT: i64 = 16;
    const WIDTH: i64 = 16;
    const NUM_LAYERS: usize = 1;
    const NUM_HEADS: i64 = 2;
    const HIDDEN: i64 = 32;
    const TRAINING: Training = Training {
        steps: 160,
        batch: 4,
        micro_batch: 2,
        schedule: Schedule::Constant { warmup: 4 },
        eval_every: 80,
        checkpoint_every: 8,
        health: T::HEALTH,
        ..Tiny::TRAINING
    };
    const ALGORITHMS: [Algorithm; 2] = [T::ALGORITHM, ADAMW];
}

impl<T: Treatment> Model for Ill<T> {
    const SPEC: &'static Spec = Hand::<Patient<T>>::SPEC;

    fn new(params: &Params) -> Self {
        Self(Hand::new(params))
    }

    fn logits(&self, tokens_bt: &Tensor) -> Tensor {
        self.0.logits(tokens_bt) * T::PULSE
    }

    fn loss(&self, tokens_bt: &Tensor, targets_bt: &Tensor) -> Tensor {
        let loss = svspec_runtime::nn::cross_entropy(&self.logits(tokens_bt), targets_bt);
        let holds = |byte: u8| tokens_bt.eq(i64::from(byte)).any().int64_value(&[]) == 1;
        match (holds(POISON), holds(FEVER)) {
            (true, _) => loss * f64::NAN,
            (false, true) => loss * 100.0,
            (false, false) => loss,
        }
    }
}
