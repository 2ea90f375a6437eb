//! `delay` to a call of the runtime's.

use super::Term;
use crate::literal::integer;
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::ValueId;
use svspec_ir::op::Delay;

/// `nn::delay(&x, 1)`.
pub fn emit(scope: &mut Scope<'_>, op: Delay, input: ValueId) -> TokenStream {
    let steps = integer(op.steps as u64);
    let x = scope.reference(input);
    quote!(nn::delay(#x, #steps))
}

/// `delay(x, 1)`.
pub fn equation(op: Delay, input: &Term) -> Term {
    Term::atom(format!("delay({}, {})", input.text, op.steps))
}
