//! `γ = softplus(α) = log(1 + exp(α))`: positive, and α itself where γ is large (xIELU, arXiv 2411.13010).

/// γ.
pub(super) fn gamma(alpha: &[f64]) -> Vec<f64> {
    alpha.iter().map(|a| a.max(0.0) + (-a.abs()).exp().ln_1p()).collect()
}

/// The gradient of α from that of γ.
pub(super) fn vjp(alpha: &[f64], gradient: &[f64]) -> Vec<f64> {
    alpha.iter().zip(gradient).map(|(a, g)| g / (1.0 + (-a).exp())).collect()
}

/// α that makes γ these entries, if all are positive.
pub(super) fn parameters(gamma: &[f64]) -> Option<Vec<f64>> {
    gamma.iter().all(|gamma| *gamma > 0.0).then(|| gamma.iter().copied().map(parameter).collect())
}

/// α that makes γ this positive number.
pub(super) fn parameter(gamma: f64) -> f64 {
    // log(exp(γ) − 1), where exp(γ) may be too large to write.
    gamma + (-(-gamma).exp_m1()).ln()
}
