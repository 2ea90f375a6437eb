//! `clamp` to a call of the runtime's.

use super::Term;
use crate::literal;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::ValueId;
use svspec_ir::op::Clamp;

/// `nn::clamp(&x, low, high)`.
pub fn emit(scope: &Scope<'_>, op: Clamp, input: ValueId) -> TokenStream {
    let (x, low, high) = (scope.reference(input), literal::float(op.low), literal::float(op.high));
    quote!(nn::clamp(#x, #low, #high))
}

/// `clamp(x, -8, 8)`.
pub fn equation(op: Clamp, input: &Term) -> Term {
    Term::atom(format!("clamp({}, {}, {})", input.text, op.low, op.high))
}
