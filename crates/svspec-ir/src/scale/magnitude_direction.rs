//! OR, `γ = β · α / RMS(α)`: β is the root mean square of γ, and α counts by its direction only.
//! Source: arXiv 2605.26895, section on reparameterisation.

/// γ.
pub(super) fn gamma(beta: f64, alpha: &[f64]) -> Vec<f64> {
    let inverse = 1.0 / rms(alpha);
    alpha.iter().map(|a| beta * a * inverse).collect()
}

/// The gradients of β and α from that of γ. With `n = α / RMS(α)`: `dβ = n · g`, and `dα` is what is left of
/// `β g / RMS(α)` once its part along `n` is taken out.
pub(super) fn vjp(beta: f64, alpha: &[f64], gradient: &[f64]) -> (f64, Vec<f64>) {
    let inverse = 1.0 / rms(alpha);
    let along: f64 = alpha.iter().zip(gradient).map(|(a, g)| a * inverse * g).sum();
    let mean = along / alpha.len() as f64;
    let direction =
        alpha.iter().zip(gradient).map(|(a, g)| beta * inverse * (g - a * inverse * mean)).collect();
    (along, direction)
}

fn rms(alpha: &[f64]) -> f64 {
    (alpha.iter().map(|a| a * a).sum::<f64>() / alpha.len() as f64).sqrt()
}

/// β and α that make γ these entries. Zeros are any direction with the magnitude 0.
pub(super) fn parameters(gamma: &[f64]) -> (f64, Vec<f64>) {
    let beta = rms(gamma);
    let alpha = if beta > 0.0 { gamma.to_vec() } else { vec![1.0; gamma.len()] };
    (beta, alpha)
}
