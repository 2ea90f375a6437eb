//! `clamp` to a call of the runtime's.

use super::{Term, constant_text};
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::op::Clamp;
use svspec_ir::{Node, ValueId};

/// `nn::clamp(&x, low, high)`.
pub fn emit(scope: &mut Scope<'_>, op: &Clamp, node: &Node, input: ValueId) -> TokenStream {
    let (low, high) = (scope.constant(node, "low", &op.low), scope.constant(node, "high", &op.high));
    let x = scope.reference(input);
    quote!(nn::clamp(#x, #low, #high))
}

/// `clamp(x, -8, 8)`.
pub fn equation(op: &Clamp, input: &Term) -> Term {
    Term::atom(format!("clamp({}, {}, {})", input.text, constant_text(&op.low), constant_text(&op.high)))
}
