//! `gain` to a multiplication by a number.

use super::{Term, constant_text};
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::op::Gain;
use svspec_ir::{Node, ValueId};

/// `&x * 0.5`.
pub fn emit(scope: &mut Scope<'_>, op: &Gain, node: &Node, input: ValueId) -> TokenStream {
    let factor = scope.constant(node, "factor", &op.factor);
    let x = scope.reference(input);
    quote!(#x * #factor)
}

/// `0.5 · x`.
pub fn equation(op: &Gain, input: &Term) -> Term {
    Term::product(format!("{} · {}", constant_text(&op.factor), input.as_factor()))
}
