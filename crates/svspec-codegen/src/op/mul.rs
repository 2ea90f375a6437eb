//! `mul` to an operator.

use super::Term;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::ValueId;

/// `&x * &y`.
pub fn emit(scope: &Scope<'_>, [a, b]: [ValueId; 2]) -> TokenStream {
    let (a, b) = (scope.reference(a), scope.reference(b));
    quote!(#a * #b)
}

/// `x ⊙ y`.
pub fn equation([a, b]: [&Term; 2]) -> Term {
    Term::product(format!("{} ⊙ {}", a.as_factor(), b.as_factor()))
}
