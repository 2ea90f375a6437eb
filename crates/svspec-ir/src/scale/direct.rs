//! `γ = α`: the vector is the parameter.

/// γ.
pub(super) fn gamma(alpha: &[f64]) -> Vec<f64> {
    alpha.to_vec()
}

/// The gradient of α from that of γ.
pub(super) fn vjp(gradient: &[f64]) -> Vec<f64> {
    gradient.to_vec()
}
