//! Parameters in, a line of statistics per scale vector out.

mod balance;

use crate::nn;
use crate::params::Params;
use crate::schedule::Factors;
use crate::spec::{Role, ScaleForm, ScaleRow, Spec, instance_name};
use serde::Serialize;
use tch::{Kind, Tensor};

/// What one γ looks like.
#[derive(Clone, Debug, Serialize)]
pub struct ScaleStats {
    /// `layers.3.attn_norm.scale`.
    pub name: String,
    /// `input` or `output`, as the compiler proved it.
    pub role: &'static str,
    /// `‖γ‖₂`.
    pub norm: f64,
    /// The mean entry.
    pub mean: f64,
    /// The least entry.
    pub min: f64,
    /// The greatest entry.
    pub max: f64,
    /// `var(γ) / mean(γ²)`: 0 for a flat vector, 1 for one whose entries average to 0.
    pub anisotropy: f64,
    /// What a step's weight decay does to γ, whatever its parameters are: the λ of `γ ← γ − λ γ` that is closest. `lr ·
    /// weight_decay` where γ itself is the parameter.
    pub effective_decay: f64,
    /// The mean over its entries of `‖w_j‖²`: all that γ_j multiplies in the weights into which γ folds. None where it does not fold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_square: Option<f64>,
    /// The mean of `γ_j² − ‖w_j‖²`, which gradient flow keeps as it is, and decay of both brings to 0 (arXiv 2605.26895).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<f64>,
    /// `min γ_j²`, below which no eigenvalue of the preconditioners `γ_j² I + w_j w_jᵀ` is (its theorem 2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least_eigenvalue: Option<f64>,
}

/// γ of every scale vector, measured; the device is waited for once. `factors` are those of the last step.
pub fn measure(spec: &Spec, params: &Params, factors: Factors) -> Vec<ScaleStats> {
    let rows = spec.scales.iter();
    let instances: Vec<(&ScaleRow, Option<usize>)> =
        rows.flat_map(|row| row.layers.instances().into_iter().map(move |layer| (row, layer))).collect();
    if instances.is_empty() {
        return Vec::new();
    }
    let rows_ns = tch::no_grad(|| {
        let rows: Vec<Tensor> =
            instances.iter().map(|(row, layer)| statistics(spec, params, factors, row, *layer)).collect();
        Tensor::stack(&rows, 0)
    });
    let numbers = Vec::<Vec<f64>>::try_from(rows_ns).unwrap_or_default();
    let measured = instances.into_iter().zip(numbers).filter_map(|((row, layer), numbers)| {
        let [norm, mean, min, max, mean_square, effective_decay, weight_square, least_square] =
            numbers.try_into().ok()?;
        let anisotropy = if mean_square > 0.0 { (1.0 - mean * mean / mean_square).max(0.0) } else { 0.0 };
        let of_absorbed = |value: f64| (!row.absorbers.is_empty()).then_some(value);
        Some(ScaleStats {
            name: instance_name(row.path, layer),
            role: row.role.name(),
            norm,
            mean,
            min,
            max,
            anisotropy,
            effective_decay,
            weight_square: of_absorbed(weight_square),
            balance: of_absorbed(mean_square - weight_square),
            least_eigenvalue: of_absorbed(least_square),
        })
    });
    measured.collect()
}

/// γ of the scale vector called `name`.
pub fn gamma(params: &Params, form: ScaleForm, name: &str) -> Tensor {
    gamma_of(form, name, |part| params.get(part))
}

/// The same of parameters by name.
fn gamma_of(form: ScaleForm, name: &str, param: impl Fn(&str) -> Tensor) -> Tensor {
    let part = |part: &str| param(&format!("{name}.{part}"));
    match form {
        ScaleForm::Direct => param(name),
        ScaleForm::OnePlus => nn::one_plus(&param(name)),
        ScaleForm::Softplus => nn::softplus(&param(name)),
        ScaleForm::MagnitudeDirection => nn::magnitude_direction(&part("magnitude"), &part("direction")),
        ScaleForm::ExpMagnitudeDirection => {
            nn::exp_magnitude_direction(&part("magnitude"), &part("direction"))
        }
    }
}

/// Norm, mean, minimum, maximum, mean square, effective decay, the mean of the weights' squares and the least square, in f64.
fn statistics(
    spec: &Spec,
    params: &Params,
    factors: Factors,
    row: &ScaleRow,
    layer: Option<usize>,
) -> Tensor {
    let name = instance_name(row.path, layer);
    let precise = |part: &str| params.get(part).to_kind(Kind::Double);
    let gamma = gamma_of(row.form, &name, precise).flatten(0, -1);
    let squares = gamma.square();
    let sum = squares.sum(Kind::Double);
    let decay = |part: &str| decay(spec, params, factors, part);
    let effective_decay = if parts(row.form, &name).iter().all(|part| decay(part) <= 0.0) {
        sum.zeros_like()
    } else {
        let decayed = gamma_of(row.form, &name, |part| precise(part) * (1.0 - decay(part)));
        1.0 - gamma.dot(&decayed.flatten(0, -1)) / &sum
    };
    let weight_square = balance::weight_squares(params, row, layer, &gamma).mean(Kind::Double);
    let numbers = [
        sum.sqrt(),
        gamma.mean(Kind::Double),
        gamma.min(),
        gamma.max(),
        squares.mean(Kind::Double),
        effective_decay,
        weight_square,
        squares.min(),
    ];
    Tensor::stack(&numbers, 0)
}

/// Which share of the parameter called `name` a step takes away by decay.
fn decay(spec: &Spec, params: &Params, factors: Factors, name: &str) -> f64 {
    let param = params.iter().find(|param| param.name == name);
    let group = param.and_then(|param| spec.groups.get(param.group));
    group.map_or(0.0, |group| group.lr * factors.lr * group.weight_decay * factors.decay)
}

/// The names of the parameters that make up the scale vector called `name`.
pub fn parts(form: ScaleForm, name: &str) -> Vec<String> {
    let parts: &[&str] = match form {
        ScaleForm::Direct | ScaleForm::OnePlus | ScaleForm::Softplus => &[""],
        ScaleForm::MagnitudeDirection | ScaleForm::ExpMagnitudeDirection => &[".magnitude", ".direction"],
    };
    parts.iter().map(|part| format!("{name}{part}")).collect()
}

/// The same of every vector of a row.
pub fn parameter_names(row: &ScaleRow) -> Vec<String> {
    let names = row.layers.instances().into_iter().map(|layer| instance_name(row.path, layer));
    names.flat_map(|name| parts(row.form, &name)).collect()
}

/// The statistics of each role in a line: how many vectors, and the averages over them.
pub fn table(stats: &[ScaleStats]) -> Vec<String> {
    let mut lines = vec![format!(
        "{:<8} {:>7} {:>9} {:>9} {:>9} {:>11}",
        "role", "vectors", "mean", "min", "max", "anisotropy"
    )];
    for role in [Role::Input, Role::Output] {
        let own: Vec<&ScaleStats> = stats.iter().filter(|row| row.role == role.name()).collect();
        if own.is_empty() {
            continue;
        }
        let average =
            |value: fn(&ScaleStats) -> f64| own.iter().map(|row| value(row)).sum::<f64>() / own.len() as f64;
        let min = own.iter().map(|row| row.min).fold(f64::INFINITY, f64::min);
        let max = own.iter().map(|row| row.max).fold(f64::NEG_INFINITY, f64::max);
        lines.push(format!(
            "{:<8} {:>7} {:>9.4} {min:>9.4} {max:>9.4} {:>11.4}",
            role.name(),
            own.len(),
            average(|row| row.mean),
            average(|row| row.anisotropy),
        ));
    }
    lines
}
