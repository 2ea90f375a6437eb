//! A scale vector to the expression of its γ, by form.

use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::{ScaleForm, ScaleId};

/// A reference to γ. A form with arithmetic in it is evaluated once per region, at its first use.
pub fn gamma(scope: &mut Scope<'_>, id: ScaleId) -> TokenStream {
    if let Some(gamma) = scope.known_gamma(id) {
        return gamma;
    }
    let scale = scope.scale(id);
    let params: Vec<TokenStream> = scale.params.iter().map(|&param| scope.parameter(param)).collect();
    let (first, second) = (params.first(), params.get(1));
    let gamma = match scale.form {
        ScaleForm::Direct => quote!(&#first),
        ScaleForm::OnePlus => scope.bind_gamma(&scale.path, &quote!(nn::one_plus(&#first))),
        ScaleForm::Softplus => scope.bind_gamma(&scale.path, &quote!(nn::softplus(&#first))),
        ScaleForm::MagnitudeDirection => {
            scope.bind_gamma(&scale.path, &quote!(nn::magnitude_direction(&#first, &#second)))
        }
        ScaleForm::ExpMagnitudeDirection => {
            scope.bind_gamma(&scale.path, &quote!(nn::exp_magnitude_direction(&#first, &#second)))
        }
    };
    scope.remember_gamma(id, gamma.clone());
    gamma
}

/// γ's name in equations.
pub fn symbol(path: &str, form: ScaleForm) -> String {
    match form {
        ScaleForm::Direct => format!("γ[{path}]"),
        ScaleForm::OnePlus => format!("(1 + γ[{path}])"),
        ScaleForm::MagnitudeDirection => format!("OR[{path}]"),
        ScaleForm::ExpMagnitudeDirection => format!("ER[{path}]"),
        ScaleForm::Softplus => format!("softplus[{path}]"),
    }
}
