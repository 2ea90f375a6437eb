//! `γ = 1 + α`: decay pulls γ to 1 (Gemma).

/// γ.
pub(super) fn gamma(alpha: &[f64]) -> Vec<f64> {
    alpha.iter().map(|a| 1.0 + a).collect()
}

/// The gradient of α from that of γ.
pub(super) fn vjp(gradient: &[f64]) -> Vec<f64> {
    gradient.to_vec()
}

/// α that makes γ these entries.
pub(super) fn parameters(gamma: &[f64]) -> Vec<f64> {
    gamma.iter().map(|gamma| gamma - 1.0).collect()
}
