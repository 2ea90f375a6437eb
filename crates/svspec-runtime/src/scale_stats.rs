//! Parameters in, a line of statistics per scale vector out.

use crate::nn;
use crate::params::Params;
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
}

/// γ of every scale vector, measured; the device is waited for once.
pub fn measure(spec: &Spec, params: &Params) -> Vec<ScaleStats> {
    let instances: Vec<(&ScaleRow, String)> = spec
        .scales
        .iter()
        .flat_map(|row| {
            row.layers.instances().into_iter().map(move |layer| (row, instance_name(row.path, layer)))
        })
        .collect();
    if instances.is_empty() {
        return Vec::new();
    }
    let rows_ns = tch::no_grad(|| {
        let rows: Vec<Tensor> =
            instances.iter().map(|(row, name)| statistics(&gamma(params, row.form, name))).collect();
        Tensor::stack(&rows, 0)
    });
    let numbers = Vec::<Vec<f64>>::try_from(rows_ns).unwrap_or_default();
    let measured = instances.into_iter().zip(numbers).filter_map(|((row, name), numbers)| {
        let [norm, mean, min, max, mean_square] = numbers.try_into().ok()?;
        let anisotropy = if mean_square > 0.0 { (1.0 - mean * mean / mean_square).max(0.0) } else { 0.0 };
        Some(ScaleStats { name, role: row.role.name(), norm, mean, min, max, anisotropy })
    });
    measured.collect()
}

/// γ of the scale vector called `name`.
pub fn gamma(params: &Params, form: ScaleForm, name: &str) -> Tensor {
    let part = |part: &str| params.get(&format!("{name}.{part}"));
    match form {
        ScaleForm::Direct => params.get(name),
        ScaleForm::OnePlus => nn::one_plus(&params.get(name)),
        ScaleForm::Softplus => nn::softplus(&params.get(name)),
        ScaleForm::MagnitudeDirection => nn::magnitude_direction(&part("magnitude"), &part("direction")),
        ScaleForm::ExpMagnitudeDirection => {
            nn::exp_magnitude_direction(&part("magnitude"), &part("direction"))
        }
    }
}

/// Norm, mean, minimum, maximum and mean square, in f64.
fn statistics(gamma: &Tensor) -> Tensor {
    let gamma = gamma.to_kind(Kind::Double).flatten(0, -1);
    let mean_square = gamma.square().mean(Kind::Double);
    let norm = gamma.square().sum(Kind::Double).sqrt();
    Tensor::stack(&[norm, gamma.mean(Kind::Double), gamma.min(), gamma.max(), mean_square], 0)
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
