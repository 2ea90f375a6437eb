//! ER, `γ = exp(β) · exp(α − mean(α))`: no entry changes sign, and `exp(β)` is their geometric mean.
//! Source: arXiv 2605.26895, section on reparameterisation.

/// γ.
pub(super) fn gamma(beta: f64, alpha: &[f64]) -> Vec<f64> {
    let mean = alpha.iter().sum::<f64>() / alpha.len() as f64;
    alpha.iter().map(|a| (beta + a - mean).exp()).collect()
}

/// The gradients of β and α from that of γ: with `h = γ ⊙ g`, `dβ = sum(h)` and `dα = h − mean(h)`.
pub(super) fn vjp(beta: f64, alpha: &[f64], gradient: &[f64]) -> (f64, Vec<f64>) {
    let log_gradient: Vec<f64> = gamma(beta, alpha).iter().zip(gradient).map(|(y, g)| y * g).collect();
    let sum: f64 = log_gradient.iter().sum();
    let mean = sum / alpha.len() as f64;
    (sum, log_gradient.iter().map(|h| h - mean).collect())
}

/// β and α that make γ these entries, if any do: β is the mean of their logarithms.
pub(super) fn parameters(gamma: &[f64]) -> Option<(f64, Vec<f64>)> {
    if gamma.iter().any(|gamma| *gamma <= 0.0) {
        return None;
    }
    let alpha: Vec<f64> = gamma.iter().map(|gamma| gamma.ln()).collect();
    Some((alpha.iter().sum::<f64>() / alpha.len() as f64, alpha))
}
