//! `bias` to an addition.

use super::{Term, path};
use crate::model::Scope;
use proc_macro2::TokenStream;
use quote::quote;
use svspec_ir::op::Bias;
use svspec_ir::{Model, ValueId};

/// `&x + &self.attn_q_bias`.
pub fn emit(scope: &Scope<'_>, op: Bias, input: ValueId) -> TokenStream {
    let (x, bias) = (scope.reference(input), scope.parameter(op.param));
    quote!(#x + &#bias)
}

/// `x + b[attn.q.bias]`.
pub fn equation(model: &Model, op: Bias, input: &Term) -> Term {
    Term::sum(format!("{} + b[{}]", input.text, path(model, op.param)))
}
