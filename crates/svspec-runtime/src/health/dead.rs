//! The scale vectors that do nothing any more.

use super::{Fault, Kind};
use crate::scale_stats::{self, ScaleStats};
use crate::spec::{Init, ParamRow, ScaleForm, ScaleRow, Spec, instance_name};
use std::collections::BTreeSet;

/// Entries that all are below this share of what they began with.
const VANISHED: f64 = 1e-3;

/// Those among `stats`, after `step` steps. `unreached` are the parameters whose gradients were 0 of late.
pub fn dead_scales(spec: &Spec, step: u64, stats: &[ScaleStats], unreached: &BTreeSet<String>) -> Vec<Fault> {
    let remedy = spec.training.health.on_dead_scale;
    let mut faults = Vec::new();
    for row in spec.scales {
        for layer in row.layers.instances() {
            let name = instance_name(row.path, layer);
            if scale_stats::parts(row.form, &name).iter().all(|part| unreached.contains(part)) {
                faults.push(Fault { step, kind: Kind::Unreached(name), remedy });
                continue;
            }
            let (Some(stats), Some(first)) =
                (stats.iter().find(|stats| stats.name == name), first(spec, row, layer))
            else {
                continue;
            };
            let largest = stats.min.abs().max(stats.max.abs());
            if largest < VANISHED * first.abs() {
                faults.push(Fault { step, kind: Kind::Vanished { tensor: name, largest, first }, remedy });
            }
        }
    }
    faults
}

/// What the entries of γ began with, if that is one number.
fn first(spec: &Spec, row: &ScaleRow, layer: Option<usize>) -> Option<f64> {
    let constant = |part: &str| {
        let path = format!("{}{part}", row.path);
        let is_it = |param: &&ParamRow| param.path == path && param.layers.holds(layer);
        match spec.params.iter().find(is_it)?.init {
            Init::Constant(value) => Some(value),
            Init::Normal(_) | Init::TruncatedNormal(_) | Init::Uniform(_) => None,
        }
    };
    match row.form {
        ScaleForm::Direct => constant(""),
        ScaleForm::OnePlus => constant("").map(|alpha| 1.0 + alpha),
        ScaleForm::Softplus => constant("").map(|alpha| alpha.exp().ln_1p()),
        // A direction begins flat, and then the magnitude is what all entries are.
        ScaleForm::MagnitudeDirection => constant(".magnitude"),
        ScaleForm::ExpMagnitudeDirection => constant(".magnitude").map(f64::exp),
    }
}
