//! `soft_cap` to a call of the runtime's.

use super::Term;
use crate::literal;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::ValueId;
use svspec_ir::op::SoftCap;

/// `nn::soft_cap(&x, cap)`.
pub fn emit(scope: &Scope<'_>, op: SoftCap, input: ValueId) -> TokenStream {
    let (x, cap) = (scope.reference(input), literal::float(op.cap));
    quote!(nn::soft_cap(#x, #cap))
}

/// `soft_cap(x, 30)`.
pub fn equation(op: SoftCap, input: &Term) -> Term {
    Term::atom(format!("soft_cap({}, {})", input.text, op.cap))
}
