//! The parts of a step, one after another, in; the seconds that each took out.
//!
//! A GPU works behind the host's back, so that a part of a measured step is waited for; other steps are not held up.

use serde::Serialize;
use std::fmt::{self, Display, Formatter};
use std::time::Instant;
use tch::{Cuda, Device};

/// Seconds by part of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Seconds {
    /// Windows read, and brought to the device.
    pub data: f64,
    /// From tokens to losses.
    pub forward: f64,
    /// From losses to gradients; among several processes the sums that are on their way meanwhile, too.
    pub backward: f64,
    /// Waited for other processes.
    pub communication: f64,
    /// From gradients to changed parameters.
    pub optimizer: f64,
}

/// Measures one step.
#[derive(Debug)]
pub struct Clock {
    device: Device,
    /// None where the step is not measured.
    measured: Option<(Instant, Seconds)>,
}

impl Seconds {
    /// The mean of the measured steps; none of none.
    pub fn mean(steps: &[Self]) -> Option<Self> {
        let mean = |part: fn(&Self) -> f64| steps.iter().map(part).sum::<f64>() / steps.len() as f64;
        (!steps.is_empty()).then(|| Self {
            data: mean(|step| step.data),
            forward: mean(|step| step.forward),
            backward: mean(|step| step.backward),
            communication: mean(|step| step.communication),
            optimizer: mean(|step| step.optimizer),
        })
    }
}

/// "data 1 %, forward 33 %, …"; without communication where there was none worth the name.
impl Display for Seconds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { data, forward, backward, communication, optimizer } = *self;
        let total = data + forward + backward + communication + optimizer;
        let parts = [
            ("data", data),
            ("forward", forward),
            ("backward", backward),
            ("communication", communication),
            ("optimizer", optimizer),
        ];
        let shown = parts.iter().filter(|(name, part)| *name != "communication" || *part > 0.005 * total);
        for (place, (name, part)) in shown.enumerate() {
            let lead = if place == 0 { "" } else { ", " };
            write!(f, "{lead}{name} {:.0} %", 100.0 * part / total)?;
        }
        Ok(())
    }
}

impl Clock {
    /// Begins a step on `device`, which is measured or not.
    pub fn begin(device: Device, is_measured: bool) -> Self {
        let mut clock = Self { device, measured: None };
        if is_measured {
            clock.wait();
            clock.measured = Some((Instant::now(), Seconds::default()));
        }
        clock
    }

    /// Counts the time since the last lap to a part.
    pub fn lap(&mut self, part: fn(&mut Seconds) -> &mut f64) {
        if self.measured.is_none() {
            return;
        }
        self.wait();
        if let Some((since, seconds)) = &mut self.measured {
            *part(seconds) += since.elapsed().as_secs_f64();
            *since = Instant::now();
        }
    }

    /// What the step took, if it was measured.
    pub fn seconds(&self) -> Option<Seconds> {
        self.measured.map(|(_, seconds)| seconds)
    }

    fn wait(&self) {
        if let Device::Cuda(index) = self.device {
            Cuda::synchronize(index as i64);
        }
    }
}
