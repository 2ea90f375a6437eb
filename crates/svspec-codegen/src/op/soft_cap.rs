//! `soft_cap` to a call of the runtime's.

use super::{Term, constant_text};
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::op::SoftCap;
use svspec_ir::{Node, ValueId};

/// `nn::soft_cap(&x, cap)`.
pub fn emit(scope: &mut Scope<'_>, op: &SoftCap, node: &Node, input: ValueId) -> TokenStream {
    let cap = scope.constant(node, "cap", &op.cap);
    let x = scope.reference(input);
    quote!(nn::soft_cap(#x, #cap))
}

/// `soft_cap(x, 30)`.
pub fn equation(op: &SoftCap, input: &Term) -> Term {
    Term::atom(format!("soft_cap({}, {})", input.text, constant_text(&op.cap)))
}
