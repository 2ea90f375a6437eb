//! `dispatch` to a method of the choice.

use super::Term;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::ValueId;

/// `chosen.dispatch(&x)`.
pub fn emit(scope: &Scope<'_>, [x, chosen]: [ValueId; 2]) -> TokenStream {
    let (x, chosen) = (scope.reference(x), scope.receiver(chosen));
    quote!(#chosen.dispatch(#x))
}

/// The value itself.
pub fn equation(x: &Term) -> Term {
    x.clone()
}
