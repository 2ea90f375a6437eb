//! Scale vectors: γ of `y = γ ⊙ x`, a first-class value with a site, a form, and a proved role.

mod direct;
mod exp_magnitude_direction;
mod magnitude_direction;
mod one_plus;
mod softplus;

use crate::eval::{Gradients, Tensor, Values, accumulate};
use crate::{Dims, Model, ParamId, RegionId, Role, dim};
use serde::Serialize;
use svspec_diagnostics::Span;

/// Names a [`ScaleVector`] of a model: its index in `Model::scales`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ScaleId(pub usize);

/// Where a scale vector was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// The gain of a norm part.
    Norm,
    /// An `in` port of a linear map.
    LinearInput,
    /// An `out` port of a linear map.
    LinearOutput,
    /// An `out` port of a map that attention reads queries or keys through: the gain of a QK-norm where a normalisation
    /// precedes it.
    QkHead,
    /// A `scale` part used in an equation: LayerScale, ReZero.
    Residual,
}

/// How γ is computed from its parameters. Source, where none is given: arXiv 2605.26895, section on reparameterisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleForm {
    /// `γ = α`; parameters `[whole]`, init 1.
    Direct,
    /// `γ = 1 + α`; parameters `[whole]`, init 0. Decay pulls γ to 1 (Gemma).
    OnePlus,
    /// OR: `γ = β · α / RMS(α)`; parameters `[magnitude, direction]`, init β = 1, α = 1.
    MagnitudeDirection,
    /// ER: `γ = exp(β) · exp(α − mean(α))`; parameters `[magnitude, direction]`, init β = 0, α = 0.
    ExpMagnitudeDirection,
    /// `γ = log(1 + exp(α))`; parameters `[whole]`, init `log(e − 1)`. No entry is negative (arXiv 2411.13010).
    Softplus,
}

/// A scale vector of one region.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScaleVector {
    /// `attn_norm.scale`, `attn.q.in_scale`, `mlp.up.out_scale`; unique within its region.
    pub path: String,
    /// The region it belongs to.
    pub region: RegionId,
    /// Where it was placed.
    pub site: Site,
    /// How γ is computed.
    pub form: ScaleForm,
    /// γ's shape: a suffix of the dimensions of what it multiplies (a size-1 dimension broadcasts); empty for a scalar.
    pub dims: Dims,
    /// How many vectors these are: 1, or one for each expert, which is then the first of `dims`.
    pub num_vectors: usize,
    /// Its parameters, in the order that the form lists.
    pub params: Vec<ParamId>,
    /// The role the author claims, if any; the compiler contradicts a wrong one.
    #[serde(skip)]
    pub asserted: Option<(Role, Span)>,
    /// The statement that placed it.
    #[serde(skip)]
    pub span: Span,
}

impl ScaleForm {
    /// Whether no entry of γ can be 0 or less.
    pub fn is_positive(self) -> bool {
        match self {
            Self::Direct | Self::OnePlus | Self::MagnitudeDirection => false,
            Self::ExpMagnitudeDirection | Self::Softplus => true,
        }
    }

    /// The one parameter of softplus at which γ is this positive number.
    pub fn softplus_parameter(gamma: f64) -> f64 {
        softplus::parameter(gamma)
    }

    /// γ's entries from those of its parameters.
    fn gamma(self, params: &[&[f64]]) -> Vec<f64> {
        match self {
            Self::Direct => direct::gamma(whole(params)),
            Self::OnePlus => one_plus::gamma(whole(params)),
            Self::MagnitudeDirection => {
                let (beta, alpha) = magnitude_and_direction(params);
                magnitude_direction::gamma(beta, alpha)
            }
            Self::ExpMagnitudeDirection => {
                let (beta, alpha) = magnitude_and_direction(params);
                exp_magnitude_direction::gamma(beta, alpha)
            }
            Self::Softplus => softplus::gamma(whole(params)),
        }
    }

    /// The gradient of each parameter from that of γ.
    fn vjp(self, params: &[&[f64]], gradient: &[f64]) -> Vec<Vec<f64>> {
        match self {
            Self::Direct => vec![direct::vjp(gradient)],
            Self::OnePlus => vec![one_plus::vjp(gradient)],
            Self::MagnitudeDirection => {
                let (beta, alpha) = magnitude_and_direction(params);
                let (beta, alpha) = magnitude_direction::vjp(beta, alpha, gradient);
                vec![vec![beta], alpha]
            }
            Self::ExpMagnitudeDirection => {
                let (beta, alpha) = magnitude_and_direction(params);
                let (beta, alpha) = exp_magnitude_direction::vjp(beta, alpha, gradient);
                vec![vec![beta], alpha]
            }
            Self::Softplus => vec![softplus::vjp(whole(params), gradient)],
        }
    }

    /// Parameters that make γ these entries, in the order that the form lists; `None` where there are none: exponentials
    /// and softplus are positive.
    pub fn parameters(self, gamma: &[f64]) -> Option<Vec<Vec<f64>>> {
        match self {
            Self::Direct => Some(vec![gamma.to_vec()]),
            Self::OnePlus => Some(vec![one_plus::parameters(gamma)]),
            Self::MagnitudeDirection => {
                let (beta, alpha) = magnitude_direction::parameters(gamma);
                Some(vec![vec![beta], alpha])
            }
            Self::ExpMagnitudeDirection => {
                let (beta, alpha) = exp_magnitude_direction::parameters(gamma)?;
                Some(vec![vec![beta], alpha])
            }
            Self::Softplus => Some(vec![softplus::parameters(gamma)?]),
        }
    }

    /// Parameters that make γ all ones: one value for every entry of each, in the order that the form lists.
    pub fn identity(self) -> &'static [f64] {
        match self {
            Self::Direct => &[1.0],
            Self::OnePlus => &[0.0],
            Self::MagnitudeDirection => &[1.0, 1.0],
            Self::ExpMagnitudeDirection => &[0.0, 0.0],
            Self::Softplus => &[LOG_OF_E_MINUS_1],
        }
    }
}

/// Its softplus is 1.
const LOG_OF_E_MINUS_1: f64 = 0.541_324_854_612_918_1;

fn whole<'a>(params: &[&'a [f64]]) -> &'a [f64] {
    params.first().expect("a scale vector has the parameters that its form lists")
}

fn magnitude_and_direction<'a>(params: &[&'a [f64]]) -> (f64, &'a [f64]) {
    match params {
        [[magnitude], direction] => (*magnitude, direction),
        _ => unreachable!("a magnitude-direction form has a scalar and a vector"),
    }
}

/// γ of `scale` in layer `layer`, in the shape of `ScaleVector::dims`.
///
/// # Panics
/// If the model lacks `scale` or `values` lacks one of its parameters.
pub fn gamma(model: &Model, scale: ScaleId, layer: Option<usize>, values: &Values) -> Tensor {
    let vector = model.scales.get(scale.0).expect("a scale id is one of its model's");
    let params = params(model, vector, layer, values);
    let data = (0..vector.num_vectors).flat_map(|index| vector.form.gamma(&vector.slices(&params, index)));
    Tensor::new(dim::sizes(&vector.dims), data.collect())
}

/// Adds to `gradients` what the gradient of γ says of its parameters.
///
/// # Panics
/// As [`gamma`].
pub fn gamma_vjp(
    model: &Model,
    scale: ScaleId,
    layer: Option<usize>,
    values: &Values,
    gradient: &Tensor,
    gradients: &mut Gradients,
) {
    let vector = model.scales.get(scale.0).expect("a scale id is one of its model's");
    let params = params(model, vector, layer, values);
    let mut found = vec![Vec::new(); params.len()];
    for index in 0..vector.num_vectors {
        let gradient = slice(&gradient.data, vector.num_vectors, index);
        let of_params = vector.form.vjp(&vector.slices(&params, index), gradient);
        found.iter_mut().zip(of_params).for_each(|(found, of_param)| found.extend(of_param));
    }
    for (&param, data) in vector.params.iter().zip(found) {
        let instance = model.instance(param, layer);
        let shape = values.get(&instance).map(|value| value.shape.clone()).unwrap_or_default();
        accumulate(gradients, instance, Tensor::new(shape, data));
    }
}

impl ScaleVector {
    /// What of the parameters' entries vector `index` is made of.
    fn slices<'a>(&self, params: &[&'a [f64]], index: usize) -> Vec<&'a [f64]> {
        params.iter().map(|entries| slice(entries, self.num_vectors, index)).collect()
    }

    /// Parameters that make γ these entries, as [`ScaleForm::parameters`] of each of its vectors.
    pub fn parameters(&self, gamma: &[f64]) -> Option<Vec<Vec<f64>>> {
        let mut found = vec![Vec::new(); self.params.len()];
        for index in 0..self.num_vectors {
            let of_params = self.form.parameters(slice(gamma, self.num_vectors, index))?;
            found.iter_mut().zip(of_params).for_each(|(found, of_param)| found.extend(of_param));
        }
        Some(found)
    }
}

/// Share `index` of `count` equal ones.
fn slice(entries: &[f64], count: usize, index: usize) -> &[f64] {
    let size = entries.len() / count.max(1);
    entries.get(index * size..(index + 1) * size).unwrap_or_default()
}

fn params<'a>(
    model: &Model,
    vector: &ScaleVector,
    layer: Option<usize>,
    values: &'a Values,
) -> Vec<&'a [f64]> {
    let value = |&param: &ParamId| {
        let value = values.get(&model.instance(param, layer));
        value.expect("values holds every tensor of the model").data.as_slice()
    };
    vector.params.iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::Random;

    const FORMS: [ScaleForm; 5] = [
        ScaleForm::Direct,
        ScaleForm::OnePlus,
        ScaleForm::MagnitudeDirection,
        ScaleForm::ExpMagnitudeDirection,
        ScaleForm::Softplus,
    ];

    fn random_params(form: ScaleForm, random: &mut Random) -> Vec<Vec<f64>> {
        let mut vector = |len: usize| (0..len).map(|_| 0.8 + 0.3 * random.normal()).collect::<Vec<f64>>();
        match form {
            ScaleForm::Direct | ScaleForm::OnePlus | ScaleForm::Softplus => vec![vector(5)],
            ScaleForm::MagnitudeDirection | ScaleForm::ExpMagnitudeDirection => vec![vector(1), vector(5)],
        }
    }

    fn slices(params: &[Vec<f64>]) -> Vec<&[f64]> {
        params.iter().map(Vec::as_slice).collect()
    }

    #[test]
    fn parameters_make_the_gamma_that_they_were_made_from() {
        let mut random = Random::new(3);
        for form in FORMS {
            let gamma = form.gamma(&slices(&random_params(form, &mut random)));
            let again = form.gamma(&slices(&form.parameters(&gamma).unwrap()));
            assert!(gamma.iter().zip(&again).all(|(a, b)| (a - b).abs() < 1e-14), "{form:?}");
        }
        for positive in [ScaleForm::ExpMagnitudeDirection, ScaleForm::Softplus] {
            assert_eq!(positive.parameters(&[1.0, -1.0]), None);
        }
        let zeros = ScaleForm::MagnitudeDirection.parameters(&[0.0, 0.0]).unwrap();
        assert_eq!(ScaleForm::MagnitudeDirection.gamma(&slices(&zeros)), [0.0, 0.0]);
    }

    #[test]
    fn derivatives_agree_with_finite_differences() {
        let mut random = Random::new(7);
        for form in FORMS {
            let params = random_params(form, &mut random);
            let weights: Vec<f64> = (0..5).map(|_| random.normal()).collect();
            let value = |params: &[Vec<f64>]| -> f64 {
                form.gamma(&slices(params)).iter().zip(&weights).map(|(g, w)| g * w).sum()
            };
            let gradient = form.vjp(&slices(&params), &weights);
            for (index, entries) in params.iter().enumerate() {
                for entry in 0..entries.len() {
                    let at = |step: f64| {
                        let mut moved = params.clone();
                        moved[index][entry] += step;
                        value(&moved)
                    };
                    let step = 1e-3;
                    let near = 8.0 * (at(step) - at(-step));
                    let expected = (near - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step);
                    let found = gradient[index][entry];
                    let error = (found - expected).abs() / expected.abs().max(1e-2);
                    assert!(error < 1e-6, "{form:?} {index} {entry}: {found} against {expected}");
                }
            }
        }
    }

    #[test]
    fn the_identity_makes_ones() {
        for form in FORMS {
            let params: Vec<Vec<f64>> = form
                .identity()
                .iter()
                .enumerate()
                .map(|(index, &value)| {
                    vec![value; if index == 0 && form.identity().len() == 2 { 1 } else { 4 }]
                })
                .collect();
            let gamma = form.gamma(&slices(&params));
            assert!(gamma.len() == 4 && gamma.iter().all(|entry| (entry - 1.0).abs() < 1e-15), "{form:?}");
        }
    }

    #[test]
    fn a_direction_has_no_length_of_its_own() {
        let alpha = [0.5, -1.0, 2.0];
        let doubled = alpha.map(|a| 4.0 * a);
        assert_eq!(magnitude_direction::gamma(1.5, &alpha), magnitude_direction::gamma(1.5, &doubled));
        let gamma = magnitude_direction::gamma(1.5, &alpha);
        let mean_square = gamma.iter().map(|g| g * g).sum::<f64>() / 3.0;
        assert!((mean_square.sqrt() - 1.5).abs() < 1e-14);
    }

    #[test]
    fn softplus_holds_far_from_0() {
        let gamma = softplus::gamma(&[-40.0, 0.0, 800.0]);
        assert!((gamma[0] / (-40_f64).exp() - 1.0).abs() < 1e-14);
        assert!((gamma[1] - 2_f64.ln()).abs() < 1e-15);
        assert!((gamma[2] - 800.0).abs() < 1e-12);
        let again = softplus::parameters(&gamma).unwrap();
        assert!(again.iter().zip([-40.0, 0.0, 800.0]).all(|(a, b)| (a - b).abs() < 1e-12), "{again:?}");
    }

    #[test]
    fn the_exponential_form_has_the_magnitude_as_its_geometric_mean() {
        let gamma = exp_magnitude_direction::gamma(0.3, &[0.5, -1.0, 2.0]);
        let mean_log = gamma.iter().map(|g| g.ln()).sum::<f64>() / 3.0;
        assert!((mean_log - 0.3).abs() < 1e-14);
    }
}
