//! What a model of ours computes, against the reference: each difference above its bound in words.

use crate::case::Case;
use std::collections::BTreeMap;
use svspec_ir::eval::Tensor;

/// Of a logit, absolute, and relative to the largest.
const LOGIT: f64 = 1e-4;
const LOGIT_RELATIVE: f64 = 1e-5;
/// Of the loss, relative.
const LOSS: f64 = 1e-5;
/// Of the loss of each step of AdamW, relative.
const TRAJECTORY: f64 = 1e-4;
/// Of a tensor's gradient: the Euclidean norm of the difference, relative to that of the reference.
const GRADIENT: f64 = 1e-4;
/// A gradient that is 0 but for rounding, as that of a bias on keys without rotary positions, has no relative error:
/// norms below this share of the norm of all gradients together count as that much.
const SMALLEST_NORM: f64 = 1e-4;

/// What was computed of the reference's tokens and targets.
#[derive(Clone, Debug)]
pub struct Computed {
    /// `[batch, time, vocab]`
    pub logits: Vec<f64>,
    /// The mean over all positions.
    pub loss: f64,
    /// Of each tensor, by its name in the reference.
    pub gradients: BTreeMap<String, Vec<f64>>,
}

/// The largest of the logits' differences in words, if it is too large. A NaN is too large.
pub fn logit_fault(name: &str, found: &[f64], expected: &[f64]) -> Option<String> {
    let (error, bound) = (largest_difference(found, expected), logit_bound(expected));
    let is_fault = error.is_nan() || error > bound;
    is_fault.then(|| format!("{name}: a logit is off by {error:.1e}, more than {bound:.1e}"))
}

fn logit_bound(logits: &[f64]) -> f64 {
    let largest = logits.iter().fold(0.0_f64, |largest, logit| largest.max(logit.abs()));
    LOGIT.min(LOGIT_RELATIVE * largest)
}

/// The differences that are too large; none if all is well. A NaN is too large.
pub fn differences(case: &Case, computed: &Computed) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut report = |what: &str, error: f64, bound: f64| {
        if error.is_nan() || error > bound {
            found.push(format!("{}: {what} is off by {error:.1e}, more than {bound:.1e}", case.name));
        }
    };
    let logits = &case.expected("logits")?.data;
    report("a logit", largest_difference(&computed.logits, logits), logit_bound(logits));
    let loss = case.expected("loss")?.data.iter().sum::<f64>();
    report("the loss", (computed.loss - loss).abs() / loss, LOSS);

    let of_reference = |(name, tensor): (&String, &Tensor)| {
        name.strip_prefix("gradient.").map(|name| (name.to_owned(), tensor.data.clone()))
    };
    let expected: BTreeMap<String, Vec<f64>> = case.reference.iter().filter_map(of_reference).collect();
    let total = expected.values().map(|gradient| norm(gradient).powi(2)).sum::<f64>().sqrt();
    for (name, expected) in &expected {
        let error = match computed.gradients.get(name) {
            Some(gradient) if gradient.len() == expected.len() => {
                let difference: Vec<f64> = gradient.iter().zip(expected).map(|(a, b)| a - b).collect();
                norm(&difference) / norm(expected).max(SMALLEST_NORM * total)
            }
            Some(_) | None => f64::NAN,
        };
        report(&format!("the gradient of `{name}`"), error, GRADIENT);
    }
    // Of a tensor that no gradient moves the reference has none, and ours is 0.
    let is_moved = |gradient: &[f64]| gradient.iter().any(|entry| *entry != 0.0);
    let surplus = computed
        .gradients
        .iter()
        .filter(|(name, gradient)| !expected.contains_key(*name) && is_moved(gradient));
    found
        .extend(surplus.map(|(name, _)| format!("{}: the reference has no gradient of `{name}`", case.name)));
    Ok(found)
}

/// The steps of a trajectory whose loss is off.
pub fn deviations(case: &Case, losses: &[f64]) -> anyhow::Result<Vec<String>> {
    let expected = &case.expected("trajectory.losses")?.data;
    if losses.len() != expected.len() {
        return Ok(vec![format!("{}: {} steps, not {}", case.name, losses.len(), expected.len())]);
    }
    let errors = losses.iter().zip(expected).map(|(loss, expected)| (loss - expected).abs() / expected);
    Ok(errors
        .enumerate()
        .filter(|(_, error)| error.is_nan() || *error > TRAJECTORY)
        .map(|(step, error)| format!("{}: the loss of step {step} is off by {error:.1e}", case.name))
        .collect())
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// NaN if one entry is, or if there are not equally many.
fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    if a.len() != b.len() {
        return f64::NAN;
    }
    let worse = |worst: f64, (a, b): (&f64, &f64)| {
        let difference = (a - b).abs();
        if difference.is_nan() { f64::NAN } else { worst.max(difference) }
    };
    a.iter().zip(b).fold(0.0, worse)
}
