//! `combine` to a method of the choice.

use super::Term;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::ValueId;

/// `chosen.combine(&x, &weights)`.
pub fn emit(scope: &Scope<'_>, [x, weights, chosen]: [ValueId; 3]) -> TokenStream {
    let (x, weights, chosen) = (scope.reference(x), scope.reference(weights), scope.receiver(chosen));
    quote!(#chosen.combine(#x, #weights))
}

/// `Σ[chosen] weights · x`.
pub fn equation([x, weights, chosen]: [&Term; 3]) -> Term {
    Term::product(format!("Σ[{}] {} · {}", chosen.text, weights.as_factor(), x.as_factor()))
}
