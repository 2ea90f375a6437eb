//! `mul` to an operator.

use super::Term;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::ValueId;

/// `&x * &y`; a value of fewer dimensions gets them first.
pub fn emit(scope: &Scope<'_>, [a, b]: [ValueId; 2]) -> TokenStream {
    let num_dims = scope.dims(a).len().max(scope.dims(b).len());
    let [a, b] = [a, b].map(|side| {
        let missing = num_dims - scope.dims(side).len();
        if missing == 0 {
            return scope.reference(side);
        }
        let (x, unsqueezes) = (scope.receiver(side), std::iter::repeat_n(quote!(.unsqueeze(-1)), missing));
        quote!(#x #(#unsqueezes)*)
    });
    quote!(#a * #b)
}

/// `x ⊙ y`.
pub fn equation([a, b]: [&Term; 2]) -> Term {
    Term::product(format!("{} ⊙ {}", a.as_factor(), b.as_factor()))
}
